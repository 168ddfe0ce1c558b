"""The unmodified Hadoop and Spark clients as functions."""
import dataclasses
import functools
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess

import fetch

PACKAGES = ("java.lang", "java.util", "java.net", "java.nio", "java.io", "java.util.concurrent",
            "java.util.zip", "java.lang.reflect", "sun.security.util", "sun.security.x509",
            "sun.nio.ch")
# Small and quick to start: these processes live for seconds, on few cores.
SMALL_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
MAPREDUCE = "org.apache.hadoop.mapreduce."
YARN_CLI = "org.apache.hadoop.yarn.client.cli."
YARN_CLASSES = {
    "application": YARN_CLI + "ApplicationCLI", "applicationattempt": YARN_CLI + "ApplicationCLI",
    "container": YARN_CLI + "ApplicationCLI", "node": YARN_CLI + "NodeCLI",
    "queue": YARN_CLI + "QueueCLI", "logs": YARN_CLI + "LogsCLI",
    "rmadmin": YARN_CLI + "RMAdminCLI", "top": YARN_CLI + "TopCLI",
    "cluster": YARN_CLI + "ClusterCLI", "nodeattributes": YARN_CLI + "NodeAttributesCLI",
    "schedulerconf": YARN_CLI + "SchedConfCLI", "version": "org.apache.hadoop.util.VersionInfo"}
TAKES_ITS_NAME = ("application", "applicationattempt", "container")


@functools.cache
def java_home() -> str:
    """$JAVA_HOME, or where the `java` of the path lives."""
    if "JAVA_HOME" in os.environ:
        return os.environ["JAVA_HOME"]
    java = shutil.which("java")
    if java is None:
        raise RuntimeError("no java: run tools/install-deps --test")
    return str(pathlib.Path(java).resolve().parent.parent)


@functools.cache
def add_opens() -> tuple:
    """What Hadoop needs opened on Java 9 and later; Java 8 does not know the option."""
    about = subprocess.run([java_home() + "/bin/java", "-version"], capture_output=True, text=True,
                           check=True).stderr
    if '"1.8' in about:
        return ()
    return tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in PACKAGES)


def java_command(conf: pathlib.Path, main_class: str, *args, heap: str = "256m",
                 options: tuple = (), libraries: pathlib.Path | None = None) -> list:
    """The command line of a Hadoop class with `conf` in front of its class path."""
    libraries = libraries or fetch.hadoop()
    return [java_home() + "/bin/java", *add_opens(), *SMALL_JVM, f"-Xmx{heap}", *options,
            "-cp", f"{conf}:{libraries}/*", main_class, *map(str, args)]


@dataclasses.dataclass
class Answer:
    """What a client said."""
    command: str
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return (f"$ {self.command}\nexit {self.code}\n--- stdout\n{self.out[-20000:]}"
                f"\n--- stderr\n{self.err[-20000:]}")

    def ok(self) -> "Answer":
        """Itself, after a check that the client was content."""
        assert self.code == 0, str(self)
        return self

    def application(self) -> str:
        """The first application id in the answer."""
        found = re.search(r"application_\d+_\d+", self.out + self.err)
        assert found, f"no application id in:\n{self}"
        return found.group()


class Running:
    """A client that still runs. Its output goes to files, so that nothing blocks."""

    def __init__(self, command: list, env: dict, folder: pathlib.Path, label: str):
        self.label = label
        self.out = open(folder / "out", "w+", encoding="utf-8", errors="replace")
        self.err = open(folder / "err", "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err, start_new_session=True)

    def so_far(self) -> Answer:
        texts = []
        for stream in (self.out, self.err):
            stream.flush()
            texts.append(pathlib.Path(stream.name).read_text("utf-8", "replace"))
        code = self.process.poll()
        return Answer(self.label, -1000 if code is None else code, *texts)

    def wait(self, timeout_s: float) -> Answer:
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"still running after {timeout_s} s: {self.so_far()}") from None
        answer = self.so_far()
        self.close()
        return answer

    def close(self) -> None:
        self.out.close()
        self.err.close()

    def stop(self) -> None:
        """Ends the client and what it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Clients:
    """Hadoop's commands, run with one configuration folder."""

    def __init__(self, conf: pathlib.Path, work: pathlib.Path):
        self.conf = conf
        self.work = work
        self.started = []
        self.env = {"HADOOP_CONF_DIR": str(conf), "YARN_CONF_DIR": str(conf),
                    "JAVA_HOME": java_home(), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                    "HOME": os.environ.get("HOME", "/"), "TERM": "dumb",
                    "USER": pwd.getpwuid(os.getuid()).pw_name}

    def start(self, command: list, label: str, env: dict | None = None) -> Running:
        folder = self.work / f"client-{len(self.started)}"
        folder.mkdir(parents=True)
        running = Running(command, {**self.env, **(env or {})}, folder, label)
        self.started.append(running)
        return running

    def stop_all(self) -> None:
        for running in self.started:
            if running.process.poll() is None:
                running.stop()
            running.close()

    def start_class(self, main_class: str, *args) -> Running:
        label = f"{main_class.rsplit('.', 1)[-1]} {' '.join(map(str, args))}"
        return self.start(java_command(self.conf, main_class, *args), label)

    def run_class(self, main_class: str, *args, timeout_s: float = 180) -> Answer:
        return self.start_class(main_class, *args).wait(timeout_s)

    def yarn(self, command: str, *args, timeout_s: float = 60) -> Answer:
        name = (command,) if command in TAKES_ITS_NAME else ()
        return self.run_class(YARN_CLASSES[command], *name, *args, timeout_s=timeout_s)

    def mapred(self, command: str, *args, timeout_s: float = 60) -> Answer:
        main = {"job": "org.apache.hadoop.mapred.JobClient",
                "queue": "org.apache.hadoop.mapred.JobQueueClient"}[command]
        return self.run_class(main, *args, timeout_s=timeout_s)

    def fs(self, *args) -> Answer:
        return self.run_class("org.apache.hadoop.fs.FsShell", *args)

    def start_example(self, program: str, *args) -> Running:
        jar = next(fetch.hadoop().glob("hadoop-mapreduce-examples-*.jar"))
        return self.start_class("org.apache.hadoop.util.RunJar", jar, program, *args)

    def example(self, program: str, *args, timeout_s: float = 240) -> Answer:
        return self.start_example(program, *args).wait(timeout_s)

    def start_sleep_job(self, *args, maps: int = 1, reduces: int = 0, map_ms: int = 1000,
                        reduce_ms: int = 100) -> Running:
        return self.start_class(MAPREDUCE + "SleepJob", *args, "-m", maps, "-r", reduces,
                                "-mt", map_ms, "-rt", reduce_ms)

    def distributed_shell(self, *args, timeout_s: float = 180) -> Answer:
        jar = next(fetch.hadoop().glob("hadoop-yarn-applications-distributedshell-*.jar"))
        return self.run_class("org.apache.hadoop.yarn.applications.distributedshell.Client",
                              "-jar", jar, *args, timeout_s=timeout_s)

    def spark_submit(self, *args, timeout_s: float = 240) -> Answer:
        venv = fetch.spark()
        package = next(venv.glob("lib/python3*/site-packages/pyspark"))
        python = str(venv / "bin" / "python3")
        settings = {
            "spark.yarn.jars": f"local:{package}/jars/*", "spark.driver.memory": "512m",
            "spark.executor.memory": "512m", "spark.executor.instances": "2",
            "spark.pyspark.python": python, "spark.yarn.appMasterEnv.PYSPARK_PYTHON": python,
            "spark.yarn.stagingDir": str(self.work / "spark-staging"),
            "spark.ui.enabled": "false"}
        # The machine's own name may lead to an address that does not reach it.
        for where in ("spark.yarn.appMasterEnv.", "spark.executorEnv."):
            settings[where + "SPARK_LOCAL_IP"] = "127.0.0.1"
            settings[where + "SPARK_LOCAL_HOSTNAME"] = "localhost"
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        command = [str(venv / "bin" / "spark-submit"), "--master", "yarn", *options,
                   *map(str, args)]
        return self.start(command, "spark-submit " + " ".join(map(str, args)),
                          {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost",
                           "PYSPARK_PYTHON": python,
                           "SPARK_HOME": str(package)}).wait(timeout_s)
