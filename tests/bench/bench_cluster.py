"""A cluster to measure: the interop tests' one, but with Hadoop's shipped intervals and JVM settings."""
import http.client
import json
import os
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))

import cluster as interop  # noqa: E402  (found by the line above)
import hadoop  # noqa: E402
from cluster import JAVA_CLASSES, RM_ADDRESSES, Cluster, Daemon, free_ports  # noqa: E402
from cluster import wait_until  # noqa: E402

POLL_S = 0.002  # at first; looks at a daemon that starts must not slow it, so later a hundredth
interop.START_S = START_S = 300  # a loaded machine is slow, not broken
# What the interop tests shorten to be quick; here both sides wait as long as users do.
SHORTENED = ("yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms",
             "mapreduce.client.progressmonitor.pollinterval",
             "mapreduce.client.completion.pollinterval")


class Rest:
    """The RM's web service over one kept connection. Not for several threads."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("localhost", port, timeout=60)

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple:
        """(HTTP status, JSON or None) of /ws/v1/cluster/<path>. OSError when nobody answers."""
        join = "&" if "?" in path else "?"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            self.connection.request(method, f"/ws/v1/cluster/{path}{join}user.name={user()}",
                                    None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise ConnectionError(str(error)) from error
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, None

    def must(self, method: str, path: str, body: dict | None = None) -> dict | None:
        """The JSON of an answer that is a success."""
        status, said = self.ask(method, path, body)
        assert status in (200, 202), f"{method} {path}: HTTP {status}: {said}"
        return said

    def get(self, path: str) -> dict:
        return self.must("GET", path)

    def new_application(self) -> str:
        return self.must("POST", "apps/new-application")["application-id"]

    def submit(self, application: str, command: str, name: str = "bench") -> None:
        """Submits an application whose ApplicationMaster is `command`, tried once."""
        self.must("POST", "apps", {
            "application-id": application, "application-name": name, "queue": "default",
            "am-container-spec": {"commands": {"command": command}},
            "max-app-attempts": 1, "application-type": "BENCH",
            "resource": {"memory": 512, "vCores": 1}})

    def kill(self, application: str) -> None:
        self.must("PUT", f"apps/{application}/state", {"state": "KILLED"})

    def count_killed(self) -> int:
        found = self.get("appstatistics?states=killed")["appStatInfo"]["statItem"]
        return sum(int(item["count"]) for item in found)

    def close(self) -> None:
        self.connection.close()


def user() -> str:
    return os.environ.get("USER") or "root"


class BenchCluster(Cluster):
    """One RM and one node of one side; rm_start_s and node_start_s tell how long their starts took."""
    heap = "1000m"  # of the shipped yarn-env.sh's example

    def __init__(self, side: str, yarn: dict | None = None, **arguments):
        yarn = {"yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 1000, **(yarn or {})}
        super().__init__(rm=side, yarn=yarn, **{"nodes": (side,), "history": False, **arguments})
        self.side = side
        self.rm_start_s = self.node_start_s = self.rm_start_cpu_s = 0.0
        self.port.update(zip(RM_ADDRESSES, free_ports(len(RM_ADDRESSES))))
        self.conf = self._write_conf("client", {})

    def start_rm(self) -> None:
        """Until every port of the RM accepts and its web service answers."""
        conf = self._write_conf("rm", {
            "heddle.state.dir": self.folder / "state" / "rm",
            "yarn.resourcemanager.leveldb-state-store.path": self.folder / "state" / "leveldb"})
        begin = time.monotonic()
        self._start("rm", "rm", conf)
        ports = [self.port[name] for name in RM_ADDRESSES]
        self._poll("rm", lambda: all(accepts(port) for port in ports) and self._started())
        self.rm_start_s = time.monotonic() - begin
        self.rm_start_cpu_s = cpu_s(self.pid("rm"))

    def start_node(self, name: str) -> None:
        """Until the RM counts the node as active."""
        rest = Rest(self.port["web"])
        begin = time.monotonic()
        super().start_node(name)
        self._poll(name, lambda: rest.get("metrics")["clusterMetrics"]["activeNodes"] == 1)
        self.node_start_s = time.monotonic() - begin
        rest.close()

    def wait_for_nodes(self, count: int) -> list:
        return super().wait_for_nodes(count) if count else []

    def _started(self) -> bool:
        rest = Rest(self.port["web"])
        try:
            status, said = rest.ask("GET", "info")
            return status == 200 and said["clusterInfo"]["state"] == "STARTED"
        except ConnectionError:
            return False
        finally:
            rest.close()

    def _poll(self, name: str, check) -> None:
        begin = time.monotonic()
        while not check():
            passed = time.monotonic() - begin
            self.daemons[name].must_live()
            assert passed < START_S, f"{name} does not serve after {START_S} s"
            time.sleep(max(POLL_S, passed / 100))

    def pid(self, name: str) -> int:
        return self.daemons[name].process.pid

    def rest(self) -> Rest:
        return Rest(self.port["web"])

    def _start_java(self, name: str, role: str, conf: pathlib.Path) -> None:
        """As bin/yarn starts it."""
        logs = self.folder / "java-logs" / name
        logs.mkdir(parents=True, exist_ok=True)
        self.daemons[name] = Daemon(name, plain_java(
            conf, self.libraries, f"-Xmx{self.heap}", f"-Dhadoop.log.dir={logs}",
            f"-Dyarn.log.dir={logs}", JAVA_CLASSES[role]), self._env(), self.folder)

    def _mapred(self) -> dict:
        return {name: value for name, value in super()._mapred().items() if name not in SHORTENED}


def plain_java(conf: pathlib.Path, libraries: pathlib.Path, *args) -> list:
    """A Java command with no settings but those that Hadoop needs."""
    return [hadoop.java_home() + "/bin/java", *hadoop.add_opens(), "-cp", f"{conf}:{libraries}/*",
            *map(str, args)]


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def memory_mib(pid: int) -> float:
    """The resident set."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def cpu_s(pid: int) -> float:
    """Processor time of the process itself, all its threads. CPUCLOCK_SCHED of <linux/time.h>."""
    return time.clock_gettime(~pid << 3 | 2)


__all__ = ["BenchCluster", "Rest", "cpu_s", "memory_mib", "plain_java", "wait_until"]
