"""The command line: whole processes, from start to exit, with 100 finished applications."""
import subprocess
import time

from bench_cluster import BenchCluster, plain_java
from cluster import BIN
from fill import fill
from figure import Row
from hadoop import YARN_CLASSES

COUNT = 100
# key, ours, Hadoop's class and arguments, what the output must hold
COMMANDS = (
    ("apps", ("app", "list", "--all"),
     ("application", "application", "-list", "-appStates", "ALL"), "application_", COUNT),
    ("queues", ("queue", "list"), ("queue", "-list", "all"), "alpha", 1),
    ("nodes", ("node", "list"), ("node", "-list"), "localhost:", 1),
    ("help", ("--help",), ("application", "application", "-help"), "app", 1))
ROWS = (Row("apps", f"list {COUNT} applications", "ms", "< 15 ms; 50x"),
        Row("queues", "list queues", "ms", "< 15 ms; 50x"),
        Row("nodes", "list nodes", "ms", "< 15 ms; 50x"),
        Row("help", "--help", "ms", "< 10 ms; 50x"))
RUNS = {"heddle": 20, "java": 4}


def run(command: list, env: dict, expected: str, times: int) -> float:
    """Milliseconds that the command took; it must end with 0 and say what is expected."""
    begin = time.monotonic()
    answer = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=60, check=False)
    took = (time.monotonic() - begin) * 1000
    assert answer.returncode == 0 and answer.stdout.count(expected) >= times, (
        f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout}\n{answer.stderr}")
    return took


def rounds(side: str):
    with BenchCluster(side) as cluster:
        fill(cluster, COUNT)
        while True:
            samples = {}
            for key, ours, theirs, expected, times in COMMANDS:
                command = [str(BIN / "heddle"), *ours]
                if side == "java":
                    command = plain_java(cluster.conf, cluster.libraries, YARN_CLASSES[theirs[0]],
                                         *theirs[1:])
                samples[key] = [run(command, cluster.clients.env, expected, times)
                                for _ in range(RUNS[side])]
            cluster.check_alive()
            yield samples
