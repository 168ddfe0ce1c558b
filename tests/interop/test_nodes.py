"""Nodes that leave while a job runs."""
import os
import pathlib
import re

import pytest

from cluster import wait_until
from test_mapreduce import final, task_process

pytestmark = pytest.mark.nodes
EXPIRY = {"yarn.nm.liveness-monitor.expiry-interval-ms": 8000,
          # How long the job's master knocks at the door of a node that is gone: three minutes.
          "yarn.client.nodemanager-connect.max-wait-ms": 10000,
          "yarn.client.nodemanager-connect.retry-interval-ms": 1000}


def node_names_by_id(cluster) -> dict:
    """Which daemon is which node: asked of each one's own web service, through the RM's list."""
    names = {}
    for node in cluster.wait_for_nodes(len(cluster.node_names())):
        port = int(node["nodeHTTPAddress"].rsplit(":", 1)[1])
        names[node["id"]] = next(name for name in cluster.node_names()
                                 if listens_on(cluster.daemons[name].process.pid, port))
    return names


def listens_on(pid: int, port: int) -> bool:
    """Whether the process holds a listening TCP socket on that port."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            column = line.split()
            if column[3] == "0A" and int(column[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{column[9]}]")
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(entry) in inodes:
                return True
        except OSError:
            continue
    return False


MAPS = 4


def start_job(cluster):
    """A job whose maps wait long enough to be hit: (client, application)."""
    job = cluster.clients.start_sleep_job(maps=MAPS, map_ms=8000, reduces=1)
    application = cluster.wait_for_app(job)
    wait_until("a map runs", lambda: task_process(application, "m_000000_0"), 60)
    return job, application


def node_of(cluster, pid: int) -> str:
    """The daemon below whose folder a task works; "" when it has ended."""
    try:
        where = pathlib.Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return ""
    return where.relative_to(cluster.folder).parts[0]


def runs_a_map_on(cluster, application: str, name: str) -> bool:
    pids = [task_process(application, f"m_{number:06}_0") for number in range(MAPS)]
    return any(pid is not None and node_of(cluster, pid) == name for pid in pids)


def count_of(answer, counter: str) -> int:
    """A counter as the MapReduce client prints it at the end; those that are zero it leaves out."""
    found = re.search(rf"{counter}=(\d+)\b", answer.err)
    return int(found.group(1)) if found else 0


def am_node(cluster, application) -> str:
    return cluster.app(application)["amHostHttpAddress"]


def by_http_address(cluster, address: str) -> str:
    nodes = cluster.get("nodes")["nodes"]["node"]
    return next(node["id"] for node in nodes if node["nodeHTTPAddress"] == address)


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_job_ends_well_when_the_other_node_goes(new_cluster, against, how):
    cluster = new_cluster(nodes=(against,) * 2, yarn=EXPIRY)
    names = node_names_by_id(cluster)
    job, application = start_job(cluster)
    keep = by_http_address(cluster, am_node(cluster, application))
    victim = next(name for node, name in names.items() if node != keep)
    wait_until("it has a map to lose", lambda: runs_a_map_on(cluster, application, victim), 60)
    getattr(cluster.daemons[victim], how)()
    del cluster.daemons[victim]
    answer = job.wait(240).ok()
    assert final(cluster, application) == "SUCCEEDED"
    assert count_of(answer, "Launched map tasks") > MAPS, "none ran again: " + str(answer)
    cluster.wait_for_nodes(1)


@pytest.mark.heavy
def test_the_master_starts_again_when_its_node_goes(new_cluster, against):
    cluster = new_cluster(nodes=(against,) * 2, yarn=EXPIRY)
    names = node_names_by_id(cluster)
    job, application = start_job(cluster)
    victim = names[by_http_address(cluster, am_node(cluster, application))]
    cluster.stop_node(victim)
    job.wait(240).ok()
    assert final(cluster, application) == "SUCCEEDED"
    attempts = cluster.get(f"apps/{application}/appattempts")["appAttempts"]["appAttempt"]
    assert len(attempts) == 2
