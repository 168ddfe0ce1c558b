"""How long the daemons take from their start to serving, and the processor time in it."""
from bench_cluster import BenchCluster, cpu_s
from figure import Row

ROWS = (Row("rm", "ResourceManager start to serving", "ms", "<= 50 ms; 50x"),
        Row("nm", "NodeManager start to registered", "ms", "<= 50 ms; 50x"),
        Row("rm-cpu", "... processor time of the ResourceManager in it", "ms"),
        Row("nm-cpu", "... processor time of the NodeManager in it", "ms"))


def rounds(side: str):
    while True:
        with BenchCluster(side) as cluster:
            sample = {"rm": [cluster.rm_start_s * 1000], "nm": [cluster.node_start_s * 1000],
                      "rm-cpu": [cluster.rm_start_cpu_s * 1000],
                      "nm-cpu": [cpu_s(cluster.pid("nm1")) * 1000]}
        yield sample
