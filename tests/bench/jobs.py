"""Real jobs by the unmodified clients: from the start of the client to its end, job by job in turn."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import fetch
from bench_cluster import BenchCluster, cpu_s, plain_java
from figure import Row

JOBS = {"pi": "pi 4 1000", "wordcount": "wordcount, 4 files of 8 MB",
        "terasort": "terasort, 200 MB", "spark": "SparkPi, 4 slices, client mode"}
STEPS = len(JOBS)
DAEMONS = ("rm", "nm1")
ROWS = tuple(row for key, what in JOBS.items() for row in (
    Row(key, what, "s", "never slower"), Row(key + "-app", "... the application alone", "s"),
    Row(key + "-rm", "... processor time of the ResourceManager", "s"),
    Row(key + "-nm", "... processor time of the NodeManager", "s")))
TERA_BYTES = 200_000_000
WORDS = "the quick brown fox jumps over the lazy dog\n"
WORD_FILES, WORD_LINES = 4, 190_000
NO_FS_CACHE = "-Dfs.file.impl.disable.cache=true"  # terasort on file:/// needs it, as on Hadoop


def make_inputs(folder: pathlib.Path, cluster: BenchCluster) -> None:
    """The words, and what terasort sorts, written without a cluster."""
    (folder / "words").mkdir()
    for number in range(WORD_FILES):
        (folder / "words" / f"part{number}").write_text(WORDS * WORD_LINES, encoding="ascii")
    jar = next(cluster.libraries.glob("hadoop-mapreduce-examples-*.jar"))
    subprocess.run(plain_java(cluster.conf, cluster.libraries, "org.apache.hadoop.util.RunJar", jar,
                              "teragen", "-Dmapreduce.framework.name=local", TERA_BYTES // 100,
                              folder / "tera"),
                   env=cluster.clients.env, check=True, capture_output=True, timeout=300)


def pi(cluster: BenchCluster, _inputs: pathlib.Path, _out: pathlib.Path) -> str:
    answer = cluster.clients.example("pi", 4, 1000).ok()
    assert "Estimated value of Pi is 3.14" in answer.out, str(answer)
    return answer.application()


def wordcount(cluster: BenchCluster, inputs: pathlib.Path, out: pathlib.Path) -> str:
    answer = cluster.clients.example("wordcount", "-Dmapreduce.job.reduces=2", inputs / "words",
                                     out).ok()
    counts = "".join(part.read_text() for part in out.glob("part-r-*"))
    assert f"the\t{2 * WORD_FILES * WORD_LINES}\n" in counts, counts
    return answer.application()


def terasort(cluster: BenchCluster, inputs: pathlib.Path, out: pathlib.Path) -> str:
    answer = cluster.clients.example("terasort", NO_FS_CACHE, "-Dmapreduce.job.reduces=3",
                                     inputs / "tera", out, timeout_s=600).ok()
    assert sum(part.stat().st_size for part in out.glob("part-r-*")) == TERA_BYTES, str(answer)
    return answer.application()


def spark(cluster: BenchCluster, _inputs: pathlib.Path, _out: pathlib.Path) -> str:
    package = next(fetch.spark().glob("lib/python3*/site-packages/pyspark"))
    answer = cluster.clients.spark_submit("--deploy-mode", "client",
                                          package / "examples/src/main/python/pi.py", 4).ok()
    assert re.search(r"Pi is roughly 3\.1", answer.out), str(answer)
    return max(app["id"] for app in cluster.apps())


def run(cluster: BenchCluster, job, inputs: pathlib.Path) -> dict:
    """Seconds: the client's, the application's by the RM's word, the daemons' processor time."""
    name, out = job.__name__, cluster.folder / "out"
    before = [cpu_s(cluster.pid(daemon)) for daemon in DAEMONS]
    begin = time.monotonic()
    application = job(cluster, inputs, out)
    wall = time.monotonic() - begin
    spent = [cpu_s(cluster.pid(daemon)) - then for daemon, then in zip(DAEMONS, before)]
    app = cluster.wait_for_state(application, "FINISHED")
    assert app["finalStatus"] == "SUCCEEDED", f"{cluster.side}: {name}: {app}"
    cluster.check_alive()
    shutil.rmtree(out, ignore_errors=True)
    return {name: [wall], name + "-app": [(app["finishedTime"] - app["startedTime"]) / 1000],
            name + "-rm": [spent[0]], name + "-nm": [spent[1]]}


def rounds(side: str):
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder, \
            BenchCluster(side, history=True) as cluster:
        inputs = pathlib.Path(folder)
        make_inputs(inputs, cluster)
        while True:
            for job in (pi, wordcount, terasort, spark):
                yield run(cluster, job, inputs)
