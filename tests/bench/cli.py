"""The command line: whole processes, from start to exit, with 100 finished applications."""
import resource
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
GOALS = {"apps": (f"list {COUNT} applications", "< 15 ms; 50x"),
         "queues": ("list queues", "< 15 ms; 50x"), "nodes": ("list nodes", "< 15 ms; 50x"),
         "help": ("--help", "< 10 ms; 50x")}
ROWS = tuple(row for key, (what, goal) in GOALS.items() for row in (
    Row(key, what, "ms", goal), Row(key + "-cpu", "... processor time", "ms")))
STEPS = len(COMMANDS)
RUNS = {"heddle": 20, "java": 4}


def children_s() -> float:
    """Processor time of the commands that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: list, env: dict, expected: str, times: int) -> tuple:
    """Milliseconds (passed, of a processor) of a command that ends with 0 and says what it has to."""
    before, begin = children_s(), time.monotonic()
    answer = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=60, check=False)
    took, spent = time.monotonic() - begin, children_s() - before
    assert answer.returncode == 0 and answer.stdout.count(expected) >= times, (
        f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout}\n{answer.stderr}")
    return took * 1000, spent * 1000


def rounds(side: str):
    with BenchCluster(side) as cluster:
        fill(cluster, COUNT)
        while True:
            for key, ours, theirs, expected, times in COMMANDS:
                command = [str(BIN / "heddle"), *ours]
                if side == "java":
                    command = plain_java(cluster.conf, cluster.libraries, YARN_CLASSES[theirs[0]],
                                         *theirs[1:])
                runs = [run(command, cluster.clients.env, expected, times)
                        for _ in range(RUNS[side])]
                cluster.check_alive()
                yield {key: [took for took, _ in runs], key + "-cpu": [spent for _, spent in runs]}
