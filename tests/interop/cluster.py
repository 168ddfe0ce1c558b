"""A cluster on loopback: our daemons, or Java ones in their place, from generated Hadoop XML."""
import contextlib
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from xml.sax.saxutils import escape

import fetch
import hadoop

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEDDLE_BIN") or ROOT / "build" / "bin")
JAVA_CLASSES = {
    "rm": "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    "nm": "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
    "history": "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
    "namenode": "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "datanode": "org.apache.hadoop.hdfs.server.datanode.DataNode"}
LOG4J = """log4j.logger.http.requests=WARN
log4j.rootLogger=${hadoop.root.logger}
hadoop.root.logger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
"""
RM_ADDRESSES = {"client": "address", "scheduler": "scheduler.address",
                "tracker": "resource-tracker.address", "admin": "admin.address",
                "web": "webapp.address"}
POLL_S = 0.1
START_S = 60


def wait_until(what: str, check, timeout_s: float):
    """The first true answer of check(), asked again and again; fails after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain: {what}"
        time.sleep(POLL_S)


def free_ports(count: int) -> list:
    """Ports nobody listens on, below the range the system gives to outgoing connections."""
    ports, held = [], []
    while len(ports) < count:
        listener = socket.socket()
        try:
            port = random.SystemRandom().randrange(12000, 32000)
            listener.bind(("127.0.0.1", port))
            held.append(listener)
            ports.append(port)
        except OSError:
            listener.close()
    for listener in held:
        listener.close()
    return ports


def write_xml(path: pathlib.Path, properties: dict) -> None:
    body = "".join(f"  <property><name>{escape(name)}</name><value>{escape(str(value))}</value>"
                   "</property>\n" for name, value in properties.items())
    path.write_text(f'<?xml version="1.0"?>\n<configuration>\n{body}</configuration>\n',
                    encoding="utf-8")


class Daemon:
    """A server process of ours or of Hadoop's."""

    def __init__(self, name: str, command: list, env: dict, folder: pathlib.Path):
        self.name = name
        self.killed = False
        self.log = folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)

    def alive(self) -> bool:
        return self.process.poll() is None

    def must_live(self) -> None:
        assert self.alive(), f"{self.name} ended with {self.process.returncode}:\n{self.tail()}"

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def stop(self, timeout_s: float = 20) -> int:
        """SIGTERM, and SIGKILL when that was not heard. The exit status."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def kill(self) -> None:
        """SIGKILL, as a test that wants a crash sends it."""
        if self.alive():
            self.process.kill()
            self.killed = True
        self.process.wait()


class Cluster(contextlib.AbstractContextManager):
    """One ResourceManager and NodeManagers. rm and each of nodes are "heddle" or "java"."""

    def __init__(self, rm: str = "heddle", nodes: tuple = ("heddle",), history: bool = True,
                 hdfs: bool = False, yarn: dict | None = None, queues: dict | None = None,
                 node_memory_mb: int = 4096):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="heddle-interop-"))
        self.kinds = {"rm": rm, **{f"nm{i + 1}": kind for i, kind in enumerate(nodes)}}
        self.with_history, self.with_hdfs = history, hdfs
        self.extra = yarn or {}
        self.extra_queues = queues or {}  # what follows yarn.scheduler.capacity.
        self.node_memory_mb = node_memory_mb
        self.daemons = {}
        self.libraries = fetch.hadoop()
        names = (*RM_ADDRESSES, "history", "history_web", "history_admin", "namenode",
                 "namenode_web")
        self.port = dict(zip(names, free_ports(len(names))))
        if rm == "heddle":  # it chooses its own and tells
            self.port.update(dict.fromkeys(RM_ADDRESSES, 0))
        self.conf = self._write_conf("client", {})
        self.clients = hadoop.Clients(self.conf, self.folder / "clients")

    # -- life

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            print(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        """Fails when one of our daemons ended badly, unless something has failed before."""
        wrong = self.close()
        if kind in (None, GeneratorExit):
            assert not wrong, "\n".join(wrong)

    def start(self) -> None:
        if self.with_hdfs:
            self._start_hdfs()
        self.start_rm()
        for name in self.node_names():
            self.start_node(name)
        if self.with_history:
            self._start_java("history", "history", self.conf)
        if self.node_names():
            self.wait_for_nodes(len(self.node_names()))
        if self.with_history:
            self._wait_for_port("history", self.port["history"])

    def close(self) -> list:
        """Ends everything. What is wrong with how our daemons ended: their exit status, and what
        containers they left running."""
        self.clients.stop_all()
        wrong, orderly = [], []
        while self.daemons:
            name, daemon = self.daemons.popitem()  # the last one first
            code = daemon.stop()
            if self.kinds.get(name) != "heddle" or daemon.killed:
                continue
            if code != 0:
                wrong.append(f"{name} ended with {code}:\n{daemon.tail()}")
            elif name != "rm":
                orderly.append(name)
        left = self._left_overs()
        for pid, (where, command) in left.items():
            if any(where.startswith(f"{self.folder}/{name}/") for name in orderly):
                wrong.append(f"process {pid} outlived its NodeManager: {where}: {command}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if os.environ.get("HEDDLE_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        return wrong

    def node_names(self) -> list:
        return [name for name in self.kinds if name != "rm"]

    def logs(self) -> str:
        return "\n".join(f"===== {daemon.name} ({'runs' if daemon.alive() else 'ended'})\n"
                         f"{daemon.tail()}" for daemon in self.daemons.values())

    def check_alive(self) -> None:
        for daemon in self.daemons.values():
            daemon.must_live()

    # -- daemons

    def start_rm(self) -> None:
        state = self.folder / "state" / "rm"
        ports = state / "ports.properties"
        ports.unlink(missing_ok=True)
        self._start("rm", "rm", self._write_conf("rm", {"heddle.state.dir": state}))
        if self.kinds["rm"] == "heddle":
            self._read_ports(ports)
        for name in RM_ADDRESSES:
            self._wait_for_port("rm", self.port[name])
        wait_until("the RM's web service answers", lambda: self.get("info", missing_ok=True),
                   START_S)

    def start_node(self, name: str) -> None:
        here = self.folder / name
        conf = self._write_conf(name, {
            "yarn.nodemanager.local-dirs": here / "local",
            "yarn.nodemanager.log-dirs": here / "logs",
            "heddle.state.dir": self.folder / "state" / name})
        self._start(name, "nm", conf)

    def stop_node(self, name: str) -> None:
        self.daemons.pop(name).stop()

    def wait_for_nodes(self, count: int) -> list:
        def running():
            self.check_alive()
            nodes = ((self.get("nodes").get("nodes") or {}).get("node")) or []
            up = [node for node in nodes if node["state"] == "RUNNING"]
            return up if len(up) == count else None
        return wait_until(f"{count} nodes RUNNING", running, START_S)

    def _start(self, name: str, role: str, conf: pathlib.Path) -> None:
        if self.kinds[name] == "java":
            self._start_java(name, role, conf)
            return
        program = BIN / f"heddle-{role}"
        assert program.exists(), f"{program} is not built: run tools/build"
        self.daemons[name] = Daemon(name, [str(program), "--conf", str(conf)], self._env(),
                                    self.folder)

    def _start_java(self, name: str, role: str, conf: pathlib.Path) -> None:
        logs = self.folder / "java-logs" / name
        logs.mkdir(parents=True, exist_ok=True)
        command = hadoop.java_command(
            conf, JAVA_CLASSES[role], heap="400m", libraries=self.libraries,
            options=(f"-Dhadoop.log.dir={logs}", f"-Dyarn.log.dir={logs}"))
        self.daemons[name] = Daemon(name, command, self._env(), self.folder)

    def _start_hdfs(self) -> None:
        conf = self.conf
        for page in ("hdfs", "datanode"):  # the daemons insist on folders for their web pages
            (conf / "webapps" / page).mkdir(parents=True)
        command = hadoop.java_command(conf, JAVA_CLASSES["namenode"], "-format", "-nonInteractive",
                                      libraries=self.libraries)
        subprocess.run(command, env=self._env(), check=True, capture_output=True, timeout=60)
        for name in ("namenode", "datanode"):
            self._start_java(name, name, conf)
        self._wait_for_port("namenode", self.port["namenode"])
        wait_until("the DataNode is known", self._datanode_is_up, START_S)

    def _datanode_is_up(self) -> bool:
        self.daemons["namenode"].must_live()
        self.daemons["datanode"].must_live()
        bean = "Hadoop:service=NameNode,name=FSNamesystemState"
        beans = get_json(f"http://localhost:{self.port['namenode_web']}/jmx?qry={bean}") or {}
        return any(b.get("NumLiveDataNodes") == 1 and b.get("FSState") == "Operational"
                   for b in beans.get("beans", []))

    def _read_ports(self, file: pathlib.Path) -> None:
        """Takes over the ports that our RM chose, for the clients and for a later start."""
        def written():
            self.daemons["rm"].must_live()
            return file.exists()
        wait_until(f"the RM writes {file}", written, START_S)
        lines = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        chosen = {name.strip(): value.strip() for name, value in lines}
        for name, suffix in RM_ADDRESSES.items():
            self.port[name] = int(chosen["yarn.resourcemanager." + suffix].rsplit(":", 1)[1])
        self._write_conf("client", {})

    def _wait_for_port(self, daemon: str, port: int) -> None:
        def listens():
            self.daemons[daemon].must_live()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_until(f"{daemon} listens on port {port}", listens, START_S)

    def _left_overs(self) -> dict:
        """Processes that work in our folder by pid: their folder and command line."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                where = os.readlink(entry / "cwd") if entry.name.isdigit() else ""
                if where.startswith(str(self.folder) + "/"):
                    found[int(entry.name)] = (where, (entry / "cmdline").read_bytes()
                                              .replace(b"\0", b" ").decode("utf-8", "replace"))
        return found

    # -- what the RM says

    def get(self, path: str, missing_ok: bool = False) -> dict | None:
        """JSON of /ws/v1/cluster/<path>."""
        answer = get_json(f"http://localhost:{self.port['web']}/ws/v1/cluster/{path}")
        assert missing_ok or answer is not None, f"no answer to /ws/v1/cluster/{path}"
        return answer

    def app(self, application: str) -> dict:
        return self.get(f"apps/{application}")["app"]

    def apps(self) -> list:
        return ((self.get("apps").get("apps") or {}).get("app")) or []

    def wait_for_app(self, running, state: str = "RUNNING", timeout_s: float = 90) -> str:
        """The id of the application that `running` submits, once it is in `state`."""
        def submitted():
            answer = running.so_far()
            assert answer.code in (-1000, 0), str(answer)
            return "application_" in answer.out + answer.err or "job_" in answer.out + answer.err
        wait_until("the client submits", submitted, timeout_s)
        text = running.so_far()
        whole = (text.out + text.err).replace("job_", "application_")
        application = hadoop.Answer("", 0, whole, "").application()
        self.wait_for_state(application, state, timeout_s)
        return application

    def wait_for_state(self, application: str, state: str, timeout_s: float = 90) -> dict:
        def reached():
            found = self.get(f"apps/{application}", missing_ok=True)
            if found is None:  # clients print the id before they submit
                return None
            app = found["app"]
            if app["state"] in ("FINISHED", "FAILED", "KILLED") and app["state"] != state:
                raise AssertionError(f"{application} is {app['state']}, not {state}: "
                                     f"{app.get('diagnostics')}")
            return app if app["state"] == state else None
        return wait_until(f"{application} is {state}", reached, timeout_s)

    # -- configuration

    def _env(self) -> dict:
        env = {"JAVA_HOME": hadoop.java_home(), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
               "HADOOP_CONF_DIR": str(self.conf), "HOME": os.environ.get("HOME", "/"),
               "USER": pwd.getpwuid(os.getuid()).pw_name}
        for name, value in os.environ.items():
            if name.startswith(("ASAN_", "UBSAN_", "TSAN_", "HEDDLE_")):
                env[name] = value
        return env

    def _write_conf(self, name: str, more: dict) -> pathlib.Path:
        conf = self.folder / "conf" / name
        conf.mkdir(parents=True, exist_ok=True)
        fs = f"hdfs://localhost:{self.port['namenode']}" if self.with_hdfs else "file:///"
        write_xml(conf / "core-site.xml", {
            "fs.defaultFS": fs, "hadoop.tmp.dir": self.folder / "tmp",
            "ipc.client.connect.max.retries.on.timeouts": 3})
        write_xml(conf / "yarn-site.xml", {**self._yarn(), **more})
        write_xml(conf / "mapred-site.xml", self._mapred())
        write_xml(conf / "capacity-scheduler.xml", self._capacity())
        write_xml(conf / "hdfs-site.xml", self._hdfs())
        (conf / "log4j.properties").write_text(LOG4J, encoding="ascii")
        return conf

    def _yarn(self) -> dict:
        rm = "yarn.resourcemanager."
        nm = "yarn.nodemanager."
        client_conf = self.folder / "conf" / "client"
        return {
            rm + "hostname": "localhost", rm + "bind-host": "127.0.0.1",
            **{rm + suffix: f"localhost:{self.port[name]}"
               for name, suffix in RM_ADDRESSES.items()},
            rm + "nodemanagers.heartbeat-interval-ms": 250,
            rm + "scheduler.class": "org.apache.hadoop.yarn.server.resourcemanager.scheduler"
                                    ".capacity.CapacityScheduler",
            rm + "connect.max-wait.ms": 60000, rm + "connect.retry-interval.ms": 500,
            "yarn.cluster.max-application-priority": 10,
            nm + "hostname": "localhost", nm + "bind-host": "127.0.0.1",
            nm + "address": "localhost:0", nm + "localizer.address": "localhost:0",
            nm + "webapp.address": "localhost:0",
            nm + "resource.memory-mb": self.node_memory_mb, nm + "resource.cpu-vcores": 8,
            nm + "vmem-check-enabled": "false",
            nm + "disk-health-checker.max-disk-utilization-per-disk-percentage": 99.5,
            nm + "aux-services": "mapreduce_shuffle",
            nm + "aux-services.mapreduce_shuffle.class": "org.apache.hadoop.mapred.ShuffleHandler",
            nm + "remote-app-log-dir": self.folder / "app-logs",
            nm + "env-whitelist": "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,"
                                  "CLASSPATH_PREPEND_DISTCACHE,HADOOP_YARN_HOME,HADOOP_HOME,PATH,"
                                  "LANG,TZ",
            nm + "delete.debug-delay-sec": 600 if os.environ.get("HEDDLE_KEEP") else 0,
            "mapreduce.shuffle.port": 0,
            "yarn.log-aggregation-enable": "true",
            "yarn.log.server.url": f"http://localhost:{self.port['history_web']}/jobhistory/logs",
            "yarn.application.classpath": f"{client_conf},{self.libraries}/*",
            **self.extra}

    def _mapred(self) -> dict:
        small = "-Xmx200m " + " ".join(hadoop.SMALL_JVM)
        client_conf = self.folder / "conf" / "client"
        return {
            "mapreduce.framework.name": "yarn",
            "mapreduce.application.classpath": f"{client_conf}:{self.libraries}/*",
            "mapreduce.jobhistory.address": f"localhost:{self.port['history']}",
            "mapreduce.jobhistory.webapp.address": f"localhost:{self.port['history_web']}",
            "mapreduce.jobhistory.admin.address": f"localhost:{self.port['history_admin']}",
            "mapreduce.jobhistory.bind-host": "127.0.0.1",
            "yarn.app.mapreduce.am.staging-dir": f"{self.folder}/staging",
            "yarn.app.mapreduce.am.resource.mb": 1024,
            "yarn.app.mapreduce.am.command-opts": small,
            "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": 250,
            "mapreduce.map.memory.mb": 1024, "mapreduce.reduce.memory.mb": 1024,
            "mapreduce.map.java.opts": small, "mapreduce.reduce.java.opts": small,
            "mapreduce.task.io.sort.mb": 40,
            "mapreduce.client.progressmonitor.pollinterval": 250,
            "mapreduce.client.completion.pollinterval": 500,
            "mapreduce.shuffle.port": 0}

    def _capacity(self) -> dict:
        prefix = "yarn.scheduler.capacity."
        shares = {"default": 60, "alpha": 30, "beta": 10}
        properties = {
            prefix + "maximum-am-resource-percent": 0.5,
            prefix + "root.queues": ",".join(shares)}
        for queue, share in shares.items():
            properties[f"{prefix}root.{queue}.capacity"] = share
            properties[f"{prefix}root.{queue}.maximum-capacity"] = 100
            properties[f"{prefix}root.{queue}.user-limit-factor"] = 10
        properties.update({prefix + name: value for name, value in self.extra_queues.items()})
        return properties

    def _hdfs(self) -> dict:
        return {"dfs.replication": 1, "dfs.namenode.name.dir": f"file://{self.folder}/hdfs/name",
                "dfs.datanode.data.dir": f"file://{self.folder}/hdfs/data",
                "dfs.namenode.rpc-bind-host": "127.0.0.1",
                "dfs.namenode.http-address": f"localhost:{self.port['namenode_web']}",
                "dfs.datanode.address": "127.0.0.1:0", "dfs.datanode.http.address": "127.0.0.1:0",
                "dfs.datanode.ipc.address": "127.0.0.1:0",
                "dfs.namenode.datanode.registration.ip-hostname-check": "false"}


def get_json(url: str) -> dict | None:
    """The JSON behind url; None when nobody answers, or with an error."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
