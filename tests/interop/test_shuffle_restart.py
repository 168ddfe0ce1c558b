"""Agents that are killed and started again while reducers still need their map outputs."""
import contextlib
import os
import pathlib
import signal

import pytest

from cluster import get_json, wait_until
from test_mapreduce import final, task_process
from test_nodes import am_node, by_http_address, count_of, node_names_by_id, node_of

# Java agents refuse recovery on ports chosen by the system, so these are about ours.
pytestmark = [pytest.mark.nodes, pytest.mark.daemons, pytest.mark.heavy]
RECOVERY = {"yarn.nodemanager.recovery.enabled": "true"}
MAPS = ("m_000000_0", "m_000001_0", "m_000002_0")


def maps_completed(cluster, application: str) -> int:
    job = application.replace("application", "job")
    answer = get_json(f"http://localhost:{cluster.port['web']}/proxy/{application}"
                      f"/ws/v1/mapreduce/jobs/{job}")
    return answer["job"]["mapsCompleted"] if answer else 0


def registrations(cluster, name: str) -> int:
    return cluster.daemons[name].log.read_text("utf-8", "replace").count("registered as ")


def ended_well(cluster, name: str) -> int:
    """How many containers of a node have ended with 0, as its agent knows."""
    return cluster.daemons[name].log.read_text("utf-8", "replace").count(" ended with 0\n")


def start_again(cluster, name: str) -> None:
    before = registrations(cluster, name)
    cluster.start_node(name)
    wait_until(f"{name} registers again", lambda: registrations(cluster, name) > before, 60)


def app_folders(cluster, name: str, application: str) -> list:
    return list((cluster.folder / name / "local").glob(f"usercache/*/appcache/{application}"))


@contextlib.contextmanager
def halted(pid: int):
    """Keeps a process from going on: everything else can happen first."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def start_three_maps(new_cluster):
    """Room for the AM and one map on the first node, two maps on the other, which is returned."""
    cluster = new_cluster(nodes=("heddle",) * 2, node_memory_mb=2048, yarn=RECOVERY)
    names = node_names_by_id(cluster)
    job = cluster.clients.start_sleep_job("-Dmapreduce.job.reduce.slowstart.completedmaps=1.0",
                                          maps=3, map_ms=6000, reduces=2)
    application = cluster.wait_for_app(job)
    pids = [wait_until(f"map {task} runs", lambda t=task: task_process(application, t), 90)
            for task in MAPS]
    first = names[by_http_address(cluster, am_node(cluster, application))]
    other = next(name for name in names.values() if name != first)
    places = {pid: node_of(cluster, pid) for pid in pids}
    assert sorted(places.values()) == sorted([first, other, other]), places
    return cluster, job, application, other, places


def test_map_outputs_are_fetched_from_an_agent_that_was_killed_and_started_again(new_cluster):
    cluster, job, application, other, places = start_three_maps(new_cluster)
    nodes = {node["id"] for node in cluster.wait_for_nodes(2)}
    waiting = next(pid for pid, name in places.items() if name != other)
    with halted(waiting):
        wait_until("the maps of the other node are done",
                   lambda: maps_completed(cluster, application) == 2, 120)
        # A task says that it is done before its process ends; one cut off then would run again.
        wait_until("so are their containers", lambda: ended_well(cluster, other) == 2, 60)
        cluster.daemons[other].kill()
        assert app_folders(cluster, other, application)
        start_again(cluster, other)
    answer = job.wait(240).ok()
    assert final(cluster, application) == "SUCCEEDED"
    assert count_of(answer, "Launched map tasks") == 3, str(answer)
    assert count_of(answer, "Launched reduce tasks") == 2, str(answer)
    for counter in ("Failed map tasks", "Killed map tasks", "Failed Shuffles",
                    "Failed reduce tasks", "Killed reduce tasks"):
        assert count_of(answer, counter) == 0, str(answer)
    assert count_of(answer, "Shuffled Maps ") == 6, str(answer)
    assert {node["id"] for node in cluster.wait_for_nodes(2)} == nodes, "another node to the RM"
    for name in cluster.node_names():
        wait_until(f"{name} keeps nothing of the job",
                   lambda n=name: not app_folders(cluster, n, application), 60)


def test_containers_of_a_killed_agent_end_and_their_maps_run_again(new_cluster):
    cluster, job, application, other, places = start_three_maps(new_cluster)
    cluster.daemons[other].kill()
    left = [pid for pid, name in places.items() if name == other]
    start_again(cluster, other)
    for pid in left:
        command = pathlib.Path(f"/proc/{pid}/cmdline")
        gone = not command.exists() or b"YarnChild" not in command.read_bytes()
        assert gone, f"process {pid} runs on unowned"
    answer = job.wait(240).ok()
    assert final(cluster, application) == "SUCCEEDED"
    assert count_of(answer, "Failed map tasks") == 0, "no fault of theirs: " + str(answer)
    assert count_of(answer, "Killed map tasks") == 2, str(answer)


def test_what_ended_while_the_agent_was_away_is_cleaned_up(new_cluster):
    cluster, _, application, other, _ = start_three_maps(new_cluster)
    cluster.daemons[other].kill()
    cluster.clients.yarn("application", "-kill", application).ok()
    assert final(cluster, application, "KILLED") == "KILLED"
    assert app_folders(cluster, other, application)
    start_again(cluster, other)
    wait_until("its folders are gone", lambda: not app_folders(cluster, other, application), 60)
