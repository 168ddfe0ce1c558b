"""The memory of idle daemons: their resident sets after some heartbeats, nothing ever run."""
import time

from bench_cluster import BenchCluster, memory_mib
from figure import Row

ROWS = (Row("rm", "ResourceManager idle, one node", "MiB", "<= 20 MiB"),
        Row("nm", "NodeManager idle", "MiB", "<= 20 MiB"))
IDLE_S = 10


def rounds(side: str):
    while True:
        with BenchCluster(side) as cluster:
            time.sleep(IDLE_S)
            sample = {"rm": [memory_mib(cluster.pid("rm"))],
                      "nm": [memory_mib(cluster.pid("nm1"))]}
        yield sample
