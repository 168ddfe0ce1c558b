"""What the other tests rely on: that a daemon which ends badly, and an answer that differs, fail."""
import pytest

import fetch
import golden
from cluster import Cluster, Daemon, wait_until

pytestmark = pytest.mark.harness
LEAVES_A_PROCESS = """mkdir -p nm1/work; cd nm1/work; sleep 600 & cd ../..
trap 'exit 0' TERM; touch ready; wait"""


@pytest.fixture
def empty():
    """A cluster of one node that was never started."""
    cluster = Cluster(rm="heddle", nodes=("heddle",), history=False)
    yield cluster
    cluster.close()


def put(cluster, name: str, script: str) -> Daemon:
    cluster.daemons[name] = Daemon(name, ["/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"},
                                   cluster.folder)
    return cluster.daemons[name]


def test_a_daemon_that_ends_with_a_failure_is_a_complaint(empty):
    put(empty, "rm", "echo it broke; exit 3").process.wait()
    complaints = empty.close()
    assert len(complaints) == 1 and "rm ended with 3" in complaints[0], complaints
    assert "it broke" in complaints[0]


def test_a_daemon_that_a_test_killed_is_none(empty):
    put(empty, "rm", "exec sleep 600").kill()
    assert empty.close() == []


def test_a_process_that_outlives_its_node_is_a_complaint(empty):
    put(empty, "nm1", LEAVES_A_PROCESS)
    wait_until("it has started one", (empty.folder / "ready").exists, 20)
    complaints = empty.close()
    assert len(complaints) == 1 and "outlived its NodeManager" in complaints[0], complaints
    assert "sleep 600" in complaints[0]


def test_leaving_a_cluster_fails_with_its_complaints_unless_a_test_failed_before(empty):
    for kind in (None, GeneratorExit):
        put(empty, "rm", "exit 3").process.wait()
        with pytest.raises(AssertionError, match="rm ended with 3"):
            empty.__exit__(kind, None, None)
        empty.folder.mkdir()
    put(empty, "rm", "exit 3").process.wait()
    assert empty.__exit__(ValueError, ValueError(), None) is None


def test_jars_of_another_version_do_not_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("HEDDLE_CACHE", str(tmp_path))

    def jar(version):
        def fill(folder):
            folder.mkdir(exist_ok=True)
            (folder / f"hadoop-{version}.jar").touch()
        return fill

    for version in ("3.4.1", "3.4.2", "3.4.2"):
        folder = fetch.fetched("hadoop", version, jar(version))
    assert [path.name for path in folder.iterdir()] == ["hadoop-3.4.2.jar"]


def test_an_answer_that_differs_in_a_line_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    (tmp_path / "a.txt").write_text("one\ntwo\nexit 0\n")
    golden.check("a", ["one", "two", "exit 0"], update=False)
    for lines in (["one", "2", "exit 0"], ["one", "exit 0"], ["one", "two", "exit 1"]):
        with pytest.raises(AssertionError, match="real Hadoop"):
            golden.check("a", lines, update=False)
