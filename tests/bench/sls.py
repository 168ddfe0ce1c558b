"""Hadoop's Scheduler Load Simulator: the real ResourceManager in one process with made-up nodes and
ApplicationMasters, in real time; looked at every second over its web service."""
import dataclasses
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import time
import xml.etree.ElementTree
import zipfile

from bench_cluster import RM_ADDRESSES, Daemon, Rest, free_ports
import fetch
import hadoop
import cluster as interop

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 600  # after the last submission
START_S = 180
RM = "org.apache.hadoop.yarn.server.resourcemanager."
LOG4J = f"""log4j.rootLogger=WARN,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{{ISO8601}} %p %c{{2}}: %m%n
log4j.appender.jobs=org.apache.log4j.FileAppender
log4j.appender.jobs.File=${{sls.logs}}/jobs.log
log4j.appender.jobs.layout=org.apache.log4j.PatternLayout
log4j.appender.jobs.layout.ConversionPattern=%m%n
log4j.logger.{RM}RMAppManager$ApplicationSummary=INFO,jobs
log4j.additivity.{RM}RMAppManager$ApplicationSummary=false
log4j.appender.attempts=org.apache.log4j.FileAppender
log4j.appender.attempts.File=${{sls.logs}}/attempts.log
log4j.appender.attempts.layout=org.apache.log4j.PatternLayout
log4j.appender.attempts.layout.ConversionPattern=%d{{ISO8601}} %m%n
log4j.logger.{RM}rmapp.attempt.RMAppAttemptImpl=INFO,attempts
log4j.additivity.{RM}rmapp.attempt.RMAppAttemptImpl=false
"""
ALLOCATED = re.compile(r"(\S+ \S+) appattempt_(\d+_\d+)_\d+ State change from SCHEDULED to "
                       "ALLOCATED_SAVING")
RUNNER = {"yarn.sls.runner.pool.size": 24,
          "yarn.sls.nm.heartbeat.interval.ms": 1000,
          "yarn.sls.am.heartbeat.interval.ms": 1000,
          "yarn.sls.am.type.mapreduce": "org.apache.hadoop.yarn.sls.appmaster.MRAMSimulator",
          "yarn.sls.container.memory.mb": 1024,
          "yarn.sls.container.vcores": 1,
          "yarn.sls.metrics.switch": "false"}  # it only slows; the web service tells more


@dataclasses.dataclass
class Sample:
    """One look at the cluster; memory in MB. A leaf: guaranteed, maximum, in use, asked for."""
    at_s: float
    used_mb: int
    leaves: dict


@dataclasses.dataclass
class Job:
    """Times in seconds on the clock of the samples; master_s and ended_s are None without."""
    queue: str
    submitted_s: float
    master_s: float | None
    ended_s: float | None
    succeeded: bool


@dataclasses.dataclass
class Run:
    """What one side did with the trace."""
    samples: list
    jobs: list
    preemption: dict


def jars() -> pathlib.Path:
    """The folder of the Load Simulator's own jars."""
    pom = HERE / "pom.xml"

    def fill(folder: pathlib.Path) -> None:
        fetch.run("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
                  "-DexcludeTransitive=true", f"-DoutputDirectory={folder}")

    return fetch.fetched("hadoop-sls", hashlib.sha256(pom.read_bytes()).hexdigest(), fill)


def defaults() -> dict:
    """What Hadoop's jars say of every property."""
    found = {}
    for jar, name in (("hadoop-common-3*.jar", "core-default.xml"),
                      ("hadoop-yarn-common-*.jar", "yarn-default.xml")):
        with zipfile.ZipFile(next(fetch.hadoop().glob(jar))) as archive:
            for one in xml.etree.ElementTree.fromstring(archive.read(name)).iter("property"):
                found[one.findtext("name")] = one.findtext("value") or ""
    return found


def write_conf(conf: pathlib.Path, hosts: list, yarn: dict) -> int:
    """Adds to the folder what the Load Simulator needs. The port of the web service."""
    ports = free_ports(len(RM_ADDRESSES))
    addresses = {f"yarn.resourcemanager.{suffix}": f"127.0.0.1:{port}"
                 for suffix, port in zip(RM_ADDRESSES.values(), ports)}
    interop.write_xml(conf / "yarn-site.xml", {**yarn, **addresses})
    # Its ResourceManager gets this file alone, not even the defaults.
    interop.write_xml(conf / "sls-runner.xml", {**defaults(), **yarn, **addresses, **RUNNER})
    (conf / "log4j.properties").write_text(LOG4J, encoding="ascii")
    # Names that lead somewhere, or the RM makes no token for a container.
    own = pathlib.Path("/proc/sys/kernel/hostname").read_text(encoding="ascii").strip()
    lines = ["127.0.0.1 localhost", f"127.0.0.1 {own}"]
    lines += [f"127.1.{number // 250}.{number % 250 + 1} {host}"
              for number, host in enumerate(hosts)]
    (conf / "hosts").write_text("\n".join(lines) + "\n", encoding="ascii")
    return dict(zip(RM_ADDRESSES, ports))["web"]


def run(conf: pathlib.Path, jobs: pathlib.Path, nodes: pathlib.Path, port: int, count: int,
        length_s: float) -> Run:
    """Runs the Load Simulator until all `count` jobs are over."""
    logs = conf / "logs"
    logs.mkdir(exist_ok=True)
    command = [hadoop.java_home() + "/bin/java", *hadoop.add_opens(), "-Xmx4g",
               f"-Dsls.logs={logs}", f"-Dhadoop.log.dir={logs}",
               f"-Djdk.net.hosts.file={conf / 'hosts'}", "-cp",
               f"{conf}:{jars()}/*:{fetch.hadoop()}/*", str(HERE / "SlsJobs.java"),
               "-tracetype", "SLS", "-tracelocation", str(jobs), "-nodes", str(nodes),
               "-output", str(logs)]
    daemon = Daemon("sls", command, {"PATH": "/usr/bin:/bin", "HADOOP_CONF_DIR": str(conf)}, conf)
    try:
        samples = watch(daemon, port, count, length_s)
    finally:
        daemon.stop()
    return Run(samples, *read_jobs(logs))


def watch(daemon: Daemon, port: int, count: int, length_s: float) -> list:
    """Looks every second until all jobs are over."""
    rest, samples, begin = Rest(port), [], time.monotonic()
    while True:
        due = time.monotonic() + 1
        daemon.must_live()
        passed = time.monotonic() - begin
        try:
            before = time.time()
            queues = rest.get("scheduler")["scheduler"]["schedulerInfo"]["queues"]["queue"]
            samples.append(sample_of((before + time.time()) / 2, queues))
            metrics = rest.get("metrics")["clusterMetrics"]
        except (ConnectionError, KeyError, AssertionError, subprocess.SubprocessError):
            assert not samples and passed < START_S, f"the web service is gone:\n{daemon.tail()}"
            time.sleep(1)
            continue
        assert passed < START_S or metrics["appsSubmitted"], f"no job in {START_S} s"
        over = metrics["appsCompleted"] + metrics["appsFailed"] + metrics["appsKilled"]
        if over >= count and metrics["appsPending"] + metrics["appsRunning"] == 0:
            time.sleep(3)  # the last job's line
            rest.close()
            return samples
        assert passed < START_S + length_s + PATIENCE_S, f"{over} of {count} jobs: {metrics}"
        time.sleep(max(0.0, due - time.monotonic()))


def sample_of(at_s: float, queues: list) -> Sample:
    """Reservations count as asked for, not as in use."""
    leaves = {}
    for queue in queues:
        capacity = queue["capacities"]["queueCapacitiesByPartition"][0]
        usage = queue["resources"]["resourceUsagesByPartition"][0]
        leaves[queue["queuePath"]] = (
            capacity["effectiveMinResource"]["memory"], capacity["effectiveMaxResource"]["memory"],
            usage["used"]["memory"] - usage["reserved"]["memory"], usage["pending"]["memory"])
    return Sample(at_s, sum(leaf[2] for leaf in leaves.values()), leaves)


def read_jobs(logs: pathlib.Path) -> tuple:
    """The jobs, and what of them was preempted, from the ResourceManager's own logs."""
    jobs, preemption = [], {"victims": 0, "masters": 0, "lost_mb_s": 0}
    given = {}
    for line in (logs / "attempts.log").read_text("utf-8", "replace").splitlines():
        found = ALLOCATED.match(line)
        if found:
            at = datetime.datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").timestamp()
            given.setdefault("application_" + found[2], at)
    for line in (logs / "jobs.log").read_text("utf-8", "replace").splitlines():
        fields = dict(re.findall(r"(\w+)=([^,]*)", line))
        if "finishTime" not in fields:
            continue
        jobs.append(Job(fields["queue"], int(fields["submitTime"]) / 1000,
                        given.get(fields["appId"]),
                        int(fields["finishTime"]) / 1000, fields["finalStatus"] == "SUCCEEDED"))
        masters = int(fields["preemptedAMContainers"])
        preemption["masters"] += masters
        preemption["victims"] += masters + int(fields["preemptedNonAMContainers"])
        preemption["lost_mb_s"] += int(fields["preemptedMemorySeconds"])
    return jobs, preemption


def read_run(kept: dict) -> Run:
    """What dataclasses.asdict() made of a run."""
    return Run([Sample(**one) for one in kept["samples"]], [Job(**one) for one in kept["jobs"]],
               kept["preemption"])


def read_details(path: pathlib.Path, counters: dict) -> Run:
    """A run of ours: `heddle sim run --details`."""
    samples, jobs = [], []

    def seconds(ms: int) -> float | None:
        return ms / 1000 if ms >= 0 else None
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if "at_ms" in row:
            samples.append(Sample(row["at_ms"] / 1000,
                                  sum(leaf[2] for leaf in row["leaves"].values()),
                                  {path: tuple(leaf) for path, leaf in row["leaves"].items()}))
        else:
            jobs.append(Job(row["queue"], row["submitted_ms"] / 1000, seconds(row["master_up_ms"]),
                            seconds(row["ended_ms"]), row["succeeded"]))
    return Run(samples, jobs, counters)
