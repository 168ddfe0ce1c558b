"""Containers granted to ApplicationMasters that ask, get and give back in a closed loop, while each
node sends a heartbeat a second."""
import load
from figure import Row

SIDES = ("heddle", "java", "java-defaults", "limit")
ROWS = (Row("containers", "containers granted a second", "/s", ">= 200,000; 25x",
            more_is_better=True),
        Row("container-cpu", "... processor time of the ResourceManager for each", "us"),
        Row("calls", "... allocate calls a second", "/s", ">= 60,000", more_is_better=True),
        Row("p50", "... an allocate call, median", "us"),
        Row("p99", "... an allocate call, 99 of 100", "us", "<= 5 ms"))
CONTAINERS = 10  # that each master wants at any time
# Hadoop's masters wait when nothing came, so that their calls leave its scheduler the processor.
OF_SIDE = {"heddle": {"warm_up": 50_000, "count": 200_000, "options": ()},
           "limit": {"warm_up": 50_000, "count": 200_000, "options": ()},
           "java": {"warm_up": 20_000, "count": 30_000, "options": ("--pause-ms", 5)},
           "java-defaults": {"warm_up": 1_000, "count": 3_000, "options": ("--pause-ms", 20)}}


def rounds(side: str):
    how = OF_SIDE[side]
    with load.server(side) as (ports, pid):
        while True:
            said = load.load("allocate", ports, pid, "--nodes", load.nodes, "--masters",
                             load.masters, "--containers", CONTAINERS, "--heartbeats", load.nodes,
                             "--queues", ",".join(load.QUEUES), "--warm-up", how["warm_up"],
                             "--count", how["count"], *how["options"])
            containers, calls = said["window"]["containers"], said["window"]["allocate_calls"]
            yield {"containers": [containers["per_second"]],
                   "container-cpu": [containers["server_cpu_us_each"]],
                   "calls": [calls["per_second"]], "p50": [calls["latency_us"]["p50"]],
                   "p99": [calls["latency_us"]["p99"]]}
