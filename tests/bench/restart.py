"""A killed ResourceManager that starts again over a state with many finished applications."""
import time

from bench_cluster import BenchCluster, memory_mib
from fill import fill
from figure import Row

COUNT = 10_000
ROWS = (Row("serving", "restart over 10,000 finished applications to serving", "ms", "10x"),
        Row("cpu", "... processor time in it", "ms"),
        Row("complete", "... until it counts all of them", "ms", "10x"),
        Row("listing", "... then GET /apps of all of them", "ms"),
        Row("memory", "... and its memory after that", "MiB"),
        Row("fill", "submit and kill one application (8 clients, REST)", "ms"))
RM = "yarn.resourcemanager."
STATE = {
    RM + "recovery.enabled": "true",
    RM + "store.class":  # ours has one store, whatever this says
        "org.apache.hadoop.yarn.server.resourcemanager.recovery.LeveldbRMStateStore",
    RM + "max-completed-applications": 2 * COUNT,
    "yarn.scheduler.capacity.maximum-applications": 2 * COUNT}


def restart(cluster: BenchCluster) -> dict:
    """Kills the RM the hard way and starts it again."""
    cluster.daemons["rm"].kill()
    begin = time.monotonic()
    cluster.start_rm()
    rest = cluster.rest()
    while rest.count_killed() < COUNT:
        time.sleep(0.02)
    complete = time.monotonic() - begin
    asked = time.monotonic()
    apps = rest.get("apps")["apps"]["app"]
    listing = time.monotonic() - asked
    rest.close()
    assert len(apps) == COUNT, f"{cluster.side}: {len(apps)} applications of {COUNT} are listed"
    assert {app["state"] for app in apps} == {"KILLED"}
    return {"serving": [cluster.rm_start_s * 1000], "cpu": [cluster.rm_start_cpu_s * 1000],
            "complete": [complete * 1000], "listing": [listing * 1000],
            "memory": [memory_mib(cluster.pid("rm"))]}


def rounds(side: str):
    with BenchCluster(side, yarn=STATE, nodes=()) as cluster:
        begin = time.monotonic()
        fill(cluster, COUNT)
        filled = {"fill": [(time.monotonic() - begin) * 1000 / COUNT]}
        while True:
            samples = {**restart(cluster), **filled}
            cluster.daemons["rm"].kill()  # an idle one would disturb the other side's turn
            yield samples
            filled = {}
