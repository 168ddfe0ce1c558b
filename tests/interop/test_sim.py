"""heddle sim as a user runs it: a trace is made, run and shown; what is wrong is named."""
import json
import subprocess

import pytest

from cluster import BIN

pytestmark = pytest.mark.heddle


def sim(*words, stdin="") -> subprocess.CompletedProcess:
    return subprocess.run([BIN / "heddle", "sim", *map(str, words)], input=stdin, text=True,
                          capture_output=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("sim") / "small.trace"
    made = sim("make-trace", "--nodes", 20, "--tenants", 3, "--tasks", 2000, "--hours", 6,
               "--to", path)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", ""), made
    return path


def tasks_in(trace) -> int:
    lines = (line.split() for line in trace.read_text(encoding="utf-8").splitlines())
    return sum(int(words[1]) for words in lines if words[0] == "task")


@pytest.mark.parametrize("engine", ["core", "scheduler"])
def test_a_trace_runs_to_its_end_and_leaves_a_page(trace, tmp_path, engine):
    page = tmp_path / "page.html"
    run = sim("run", trace, "--engine", engine, "-o", "json", "--html", page)
    assert (run.returncode, run.stderr) == (0, ""), run
    report = json.loads(run.stdout)
    assert report["schema"] == "heddle.sim/1"
    assert report["engine"] == engine
    assert report["jobs_unfinished"] == 0
    assert report["tasks_done"] == tasks_in(trace) > 100
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text and "<script" not in text and "http" not in text


def test_two_runs_tell_the_same_but_for_the_wall_time(trace):
    reports = [json.loads(sim("run", trace, "-o", "json").stdout) for _ in range(2)]
    for report in reports:
        del report["wall_s"], report["placements_per_s"]
    assert reports[0] == reports[1]


def test_a_trace_comes_through_a_pipe(trace):
    run = sim("run", "-", "--engine", "scheduler", stdin=trace.read_text(encoding="utf-8"))
    assert run.returncode == 0, run
    assert "share error" in run.stdout


def test_the_cluster_configuration_can_take_the_place_of_the_trace_s_queues(trace, tmp_path):
    (tmp_path / "capacity-scheduler.xml").write_text("""<configuration>
      <property><name>yarn.scheduler.capacity.root.queues</name><value>tenant0</value></property>
      <property><name>yarn.scheduler.capacity.root.tenant0.capacity</name><value>100</value></property>
      </configuration>""", encoding="utf-8")
    run = sim("run", trace, "--conf", tmp_path, "-o", "json")
    assert run.returncode == 0, run
    queues = {queue["path"]: queue for queue in json.loads(run.stdout)["queues"]}
    assert queues["root.tenant0"]["jobs_refused"] == 0
    assert queues["tenant1"]["jobs_refused"] == queues["tenant1"]["jobs"] > 0


SMALL = "heddle-trace 1\nqueue root.a capacity=100\nnodes 1 n 1024,1 1\n"
SLS = """{"job.start.ms": 0, "job.end.ms": 1, "job.queue.name": "q", "job.tasks": [
  {"container.host": "/r/a", "container.start.ms": 5, "container.end.ms": 5005}]}
"""


def test_a_trace_of_the_load_simulator_runs_and_converts(tmp_path):
    jobs, nodes = tmp_path / "jobs.json", tmp_path / "nodes.json"
    jobs.write_text(SLS, encoding="utf-8")
    nodes.write_text('{"rack": "r", "nodes": [{"node": "a"}]}', encoding="utf-8")
    run = sim("run", jobs, "--nodes", nodes, "-o", "json")
    assert run.returncode == 0, run
    assert json.loads(run.stdout)["tasks_done"] == 1
    converted = sim("convert", jobs, "--nodes", nodes)
    assert "task 1 1024,1 5000 at=/r/a\n" in converted.stdout
    again = sim("run", "-", "-o", "json", stdin=converted.stdout)
    assert json.loads(again.stdout)["tasks_done"] == 1


def test_a_trace_goes_to_the_load_simulator_s_files_and_back(tmp_path):
    made, jobs, nodes = tmp_path / "t.trace", tmp_path / "jobs.json", tmp_path / "nodes.json"
    assert sim("make-trace", "--nodes", 20, "--tenants", 3, "--tasks", 500, "--hours", 1,
               "--failures", 0, "--to", made).returncode == 0
    done = sim("convert", made, "--to", jobs, "--nodes-to", nodes, "--queues-to",
               tmp_path / "capacity-scheduler.xml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    options = ("--conf", tmp_path, "--am-as-sls", "-o", "json", "--details", tmp_path / "details")
    runs = [json.loads(sim("run", made, *options).stdout),
            json.loads(sim("run", jobs, "--nodes", nodes, *options).stdout)]
    for report in runs:
        del report["wall_s"], report["placements_per_s"], report["trace"]
    assert runs[0] == runs[1]
    assert runs[0]["tasks_done"] == tasks_in(made) > 100
    lines = (tmp_path / "details").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(runs[0]["samples"]) + runs[0]["jobs"]


@pytest.mark.parametrize("code, words, stdin, says", [
    (2, (), "", "heddle sim:"),
    (2, ("run", "-", "--engine", "magic"), "", "'magic' is none of core, scheduler"),
    (2, ("run", "-", "--engine", "scheduler", "--am-as-sls"), SMALL, "--am-as-sls needs"),
    (2, ("convert", "-", "--nodes-to", "/dev/null"), SMALL, "--nodes-to and --queues-to are for"),
    (2, ("make-trace", "--load", "-1"), "", "load: -1 does not lie between"),
    (1, ("run", "/no/such/trace"), "", "/no/such/trace: cannot be read"),
    (1, ("run", "-"), "nonsense\n", "stdin:1: not a trace"),
    (1, ("run", "-"), "heddle-trace 1\nqueue root.a capacity=100\nnodes 1 n 1024,1 1\n"
     "job 0 a u\ntask 1 1024,1 -7\n", "stdin:5: the duration in ms \"-7\""),
    (73, ("make-trace", "--to", "/proc/x"), "", "/proc/x"),
    (78, ("run", "-"), "heddle-trace 1\nqueue root.a capacity=50\n", "root"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_mistakes_have_their_exit_code_and_say_what_to_try(code, words, stdin, says):
    run = sim(*words, stdin=stdin)
    assert run.returncode == code, run
    assert says in run.stderr and "\nTry: " in run.stderr, run
    assert run.stdout == ""
