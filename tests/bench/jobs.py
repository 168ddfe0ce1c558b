"""Real jobs by the unmodified clients: from the start of the client to its end, on a fresh cluster."""
import pathlib
import re
import subprocess
import tempfile
import time

import fetch
from bench_cluster import BenchCluster, cpu_s, plain_java
from figure import Row

JOBS = {"pi": "pi 4 1000", "wordcount": "wordcount, 4 files of 8 MB", "terasort": "terasort, 200 MB",
        "spark": "SparkPi, 4 slices, client mode"}
ROWS = (*(row for key, what in JOBS.items()
          for row in (Row(key, what, "s", "never slower"),
                      Row(key + "-app", f"{what}: the application alone", "s", "never slower"))),
        Row("rm-cpu", "processor time of the ResourceManager over these jobs", "s"),
        Row("nm-cpu", "processor time of the NodeManager over these jobs", "s"))
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


def pi(cluster: BenchCluster, _inputs: pathlib.Path) -> str:
    answer = cluster.clients.example("pi", 4, 1000).ok()
    assert "Estimated value of Pi is 3.14" in answer.out, str(answer)
    return answer.application()


def wordcount(cluster: BenchCluster, inputs: pathlib.Path) -> str:
    out = cluster.folder / "counts"
    answer = cluster.clients.example("wordcount", "-Dmapreduce.job.reduces=2", inputs / "words",
                                     out).ok()
    counts = "".join(part.read_text() for part in out.glob("part-r-*"))
    assert f"the\t{2 * WORD_FILES * WORD_LINES}\n" in counts, counts
    return answer.application()


def terasort(cluster: BenchCluster, inputs: pathlib.Path) -> str:
    out = cluster.folder / "sorted"
    answer = cluster.clients.example("terasort", NO_FS_CACHE, "-Dmapreduce.job.reduces=3",
                                     inputs / "tera", out, timeout_s=600).ok()
    assert sum(part.stat().st_size for part in out.glob("part-r-*")) == TERA_BYTES, str(answer)
    return answer.application()


def spark(cluster: BenchCluster, _inputs: pathlib.Path) -> str:
    package = next(fetch.spark().glob("lib/python3*/site-packages/pyspark"))
    answer = cluster.clients.spark_submit("--deploy-mode", "client",
                                          package / "examples/src/main/python/pi.py", 4).ok()
    assert re.search(r"Pi is roughly 3\.1", answer.out), str(answer)
    return max(app["id"] for app in cluster.apps())


def run(cluster: BenchCluster, job, inputs: pathlib.Path) -> tuple:
    """Seconds that (the client, the application by the RM's word) took."""
    begin = time.monotonic()
    application = job(cluster, inputs)
    wall = time.monotonic() - begin
    app = cluster.wait_for_state(application, "FINISHED")
    assert app["finalStatus"] == "SUCCEEDED", f"{cluster.side}: {job.__name__}: {app}"
    return wall, (app["finishedTime"] - app["startedTime"]) / 1000


def rounds(side: str):
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder:
        inputs = pathlib.Path(folder)
        while True:
            samples = {}
            with BenchCluster(side, history=True) as cluster:
                if not list(inputs.iterdir()):
                    make_inputs(inputs, cluster)
                before = {name: cpu_s(cluster.pid(name)) for name in ("rm", "nm1")}
                for job in (pi, wordcount, terasort, spark):
                    wall, app = run(cluster, job, inputs)
                    samples.update({job.__name__: [wall], job.__name__ + "-app": [app]})
                cluster.check_alive()
                samples["rm-cpu"] = [cpu_s(cluster.pid("rm")) - before["rm"]]
                samples["nm-cpu"] = [cpu_s(cluster.pid("nm1")) - before["nm1"]]
            yield samples
