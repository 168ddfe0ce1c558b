"""What heartbeats and allocate share: a ResourceManager without nodes of its own, and heddle-load."""
import contextlib
import json
import os
import pathlib
import subprocess
import types

from bench_cluster import BenchCluster
from cluster import BIN, LOG4J

nodes, masters = 1000, 64  # tools/bench sets them
PATIENCE_S = 600
QUEUES = ("a", "b", "c", "d", "e", "f", "g", "h")
SCHEDULER = "yarn.scheduler.capacity."
# Hadoop's settings for speed: its scheduler does not wait for heartbeats, and tells no file of
# each container. Ours has no such settings, and reads the same file.
BEST = {SCHEDULER + "schedule-asynchronously.enable": "true",
        SCHEDULER + "schedule-asynchronously.scheduling-interval-ms": 1,
        SCHEDULER + "schedule-asynchronously.maximum-threads": 1,
        SCHEDULER + "per-node-heartbeat.maximum-offswitch-assignments": 100}
QUIET_LOG = LOG4J.replace("hadoop.root.logger=INFO", "hadoop.root.logger=WARN")


class LoadCluster(BenchCluster):
    """A ResourceManager alone. `best`: with the settings that are best for Hadoop's."""
    heap = "4g"

    def __init__(self, side: str, best: bool):
        self.best = best  # before the files are written
        super().__init__("java" if side.startswith("java") else "heddle", nodes=(), yarn={
            "yarn.resourcemanager.am.max-attempts": 1,
            "yarn.scheduler.capacity.maximum-applications": 1_000_000})

    def _capacity(self) -> dict:
        properties = {SCHEDULER + "root.queues": ",".join(QUEUES),
                      SCHEDULER + "maximum-am-resource-percent": 1}
        for queue in QUEUES:
            prefix = f"{SCHEDULER}root.{queue}."
            properties.update({prefix + "capacity": 100 / len(QUEUES),
                               prefix + "maximum-capacity": 100,
                               prefix + "user-limit-factor": 1000})
        return {**properties, **(BEST if self.best else {})}

    def _write_conf(self, name: str, more: dict) -> pathlib.Path:
        conf = super()._write_conf(name, more)
        if self.best:
            (conf / "log4j.properties").write_text(QUIET_LOG, encoding="ascii")
        return conf

    def ports(self) -> dict:
        return {name: self.port[name] for name in ("tracker", "scheduler", "client")}


@contextlib.contextmanager
def limit_server():
    """The limit program: `ports` and `pid`."""
    with subprocess.Popen([str(BIN / "heddle-load"), "limit", "--threads", "2"],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield types.SimpleNamespace(ports=json.loads(process.stdout.readline()),
                                        pid=process.pid)
        finally:
            process.terminate()


@contextlib.contextmanager
def server(side: str):
    """(ports, pid) of a server of that side, as long as it is needed."""
    if side == "limit":
        with limit_server() as limit:
            yield limit.ports, limit.pid
        return
    with LoadCluster(side, best=side != "java-defaults") as cluster:
        yield cluster.ports(), cluster.pid("rm")


def load(mode: str, ports: dict, pid: int, *options) -> dict:
    """The figures of one measurement by heddle-load."""
    wanted = {"heartbeats": ("tracker",), "allocate": ("tracker", "scheduler", "client")}[mode]
    command = [str(BIN / "heddle-load"), mode, "--server-pid", str(pid), "--patience",
               str(PATIENCE_S), "--user", os.environ.get("USER") or "root"]
    for port in wanted:
        command += [f"--{port}", f"localhost:{ports[port]}"]
    done = subprocess.run([*command, *map(str, options)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, f"{mode}: {done.stderr.strip()}"
    return json.loads(done.stdout)
