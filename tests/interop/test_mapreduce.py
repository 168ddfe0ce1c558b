"""MapReduce jobs by the unmodified client, AM and tasks."""
import os
import pathlib
import re
import signal
import zlib

import pytest

from cluster import wait_until

pytestmark = pytest.mark.mapreduce
NO_FS_CACHE = "-Dfs.file.impl.disable.cache=true"  # terasort on file:/// needs it, as on Hadoop
TERA_ROW = 100  # bytes


def final(cluster, application, state="FINISHED"):
    return cluster.wait_for_state(application, state)["finalStatus"]


def write_words(folder: pathlib.Path, files: int = 3, lines: int = 500) -> dict:
    """Text files and the count of each word in them."""
    folder.mkdir(parents=True)
    text = "the quick brown fox jumps over the lazy dog\n" * lines
    for number in range(files):
        (folder / f"part{number}").write_text(text, encoding="ascii")
    counts = {word: files * lines for word in set(text.split())}
    counts["the"] *= 2
    return counts


def read_counts(texts) -> dict:
    pairs = (line.split("\t") for text in texts for line in text.splitlines())
    return {word: int(count) for word, count in pairs}


def tera_checksum(folder: pathlib.Path) -> int:
    """What teravalidate calls the checksum of the rows in part-*."""
    total = 0
    for part in folder.glob("part-*"):
        data = part.read_bytes()
        assert len(data) % TERA_ROW == 0, part
        total += sum(zlib.crc32(data[at:at + TERA_ROW]) for at in range(0, len(data), TERA_ROW))
    return total


def task_process(application: str, task: str) -> int | None:
    """The pid of the JVM that runs e.g. attempt_..._m_000000_0."""
    attempt = f"{application.replace('application', 'attempt')}_{task}"
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if attempt.encode() in words and b"org.apache.hadoop.mapred.YarnChild" in words:
                return int(entry.name)
    return None


def test_pi_gives_its_estimate(cluster):
    answer = cluster.clients.example("pi", 2, 10).ok()
    assert "Estimated value of Pi is 3.8" in answer.out, str(answer)
    assert final(cluster, answer.application()) == "SUCCEEDED"


def test_wordcount_counts_words(cluster):
    work = cluster.folder / "wordcount"
    expected = write_words(work / "in")
    answer = cluster.clients.example("wordcount", "-Dmapreduce.job.reduces=2", work / "in",
                                     work / "out").ok()
    parts = sorted((work / "out").glob("part-r-*"))
    assert len(parts) == 2, str(answer)
    assert read_counts(part.read_text() for part in parts) == expected


def test_a_failing_mapper_fails_the_job(cluster):
    answer = cluster.clients.run_class("org.apache.hadoop.mapreduce.FailJob",
                                       "-Dmapreduce.map.maxattempts=2", "-failMappers")
    assert answer.code == 1, str(answer)
    assert "Intentional map failure" in answer.out + answer.err, str(answer)
    assert final(cluster, answer.application()) == "FAILED"


def test_a_killed_job_ends_as_killed(cluster):
    job = cluster.clients.start_sleep_job(map_ms=120_000)
    application = cluster.wait_for_app(job)
    wait_until("the map runs", lambda: task_process(application, "m_000000_0"), 60)
    killed = cluster.clients.mapred("job", "-kill", application.replace("application", "job")).ok()
    assert "Killed job" in killed.out, str(killed)
    assert job.wait(60).code == 1
    assert final(cluster, application) == "KILLED"
    wait_until("its containers are gone",
               lambda: task_process(application, "m_000000_0") is None, 30)


def test_an_application_killed_at_the_rm_is_killed(cluster):
    job = cluster.clients.start_sleep_job(map_ms=120_000)
    application = cluster.wait_for_app(job)
    killed = cluster.clients.yarn("application", "-kill", application).ok()
    assert f"Killed application {application}" in killed.out + killed.err, str(killed)
    assert final(cluster, application, "KILLED") == "KILLED"
    assert job.wait(90).code != 0
    again = cluster.clients.yarn("application", "-kill", application).ok()
    assert "has already finished" in again.out + again.err, str(again)


def test_a_map_task_killed_by_the_system_runs_again(cluster):
    job = cluster.clients.start_sleep_job("-Dmapreduce.map.maxattempts=3", map_ms=6_000)
    application = cluster.wait_for_app(job)
    os.kill(wait_until("the map runs", lambda: task_process(application, "m_000000_0"), 60),
            signal.SIGKILL)
    answer = job.wait(120).ok()
    assert re.search(r"Failed map tasks=1\b", answer.err), str(answer)
    assert "137" in answer.err, str(answer)
    assert final(cluster, application) == "SUCCEEDED"


def test_two_jobs_run_side_by_side_in_two_queues(cluster):
    jobs = {queue: cluster.clients.start_sleep_job(f"-Dmapreduce.job.queuename={queue}",
                                                   map_ms=5_000) for queue in ("alpha", "beta")}
    ids = {queue: cluster.wait_for_app(job) for queue, job in jobs.items()}
    states = {queue: cluster.app(application)["state"] for queue, application in ids.items()}
    assert states == {"alpha": "RUNNING", "beta": "RUNNING"}
    for queue, job in jobs.items():
        job.wait(120).ok()
        assert cluster.app(ids[queue])["queue"] in (queue, f"root.{queue}")
        assert final(cluster, ids[queue]) == "SUCCEEDED"


def test_an_unknown_queue_is_refused_by_name(cluster):
    answer = cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=nosuch").wait(60)
    assert answer.code != 0
    assert re.search(r"unknown queue.*nosuch|nosuch.*unknown queue", answer.err), str(answer)


@pytest.mark.heavy
def test_terasort_sorts_200_mb_with_three_reducers(cluster):
    work = cluster.folder / "tera"
    run = cluster.clients.example
    run("teragen", "-Dmapreduce.job.maps=2", 2_000_000, work / "in", timeout_s=300).ok()
    assert sum(p.stat().st_size for p in (work / "in").glob("part-m-*")) == 200_000_000
    sort = run("terasort", NO_FS_CACHE, "-Dmapreduce.job.reduces=3", work / "in", work / "out",
               timeout_s=600).ok()
    assert final(cluster, sort.application()) == "SUCCEEDED"
    assert len(list((work / "out").glob("part-r-*"))) == 3
    run("teravalidate", work / "out", work / "report", timeout_s=300).ok()
    report = (work / "report" / "part-r-00000").read_text()
    # The sum over the rows that came out, which are in order: no row was lost, doubled or changed.
    assert report == f"checksum\t{tera_checksum(work / 'in'):x}\n", report
