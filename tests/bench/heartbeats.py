"""Heartbeats of nodes where nothing changes, as fast as they are answered."""
import load
from figure import Row

SIDES = ("heddle", "java", "limit")
ROWS = (Row("rate", "heartbeats a second, closed loop", "/s", ">= 100,000", more_is_better=True),
        Row("cpu", "... processor time of the ResourceManager for each", "us", "10x"),
        Row("p50", "... answered within, median", "us"),
        Row("p99", "... answered within, 99 of 100", "us"))
WARM_UP, COUNT = 20_000, 100_000
FIRST_WARM_UP = 100_000  # a JVM compiles what it has seen often


def rounds(side: str):
    with load.server(side) as (ports, pid):
        warm_up = FIRST_WARM_UP
        while True:
            said = load.load("heartbeats", ports, pid, "--nodes", load.nodes, "--warm-up", warm_up,
                             "--count", COUNT)
            warm_up = WARM_UP
            figures = said["window"]["heartbeats"]
            yield {"rate": [figures["per_second"]], "cpu": [figures["server_cpu_us_each"]],
                   "p50": [figures["latency_us"]["p50"]], "p99": [figures["latency_us"]["p99"]]}
