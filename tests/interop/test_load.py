"""heddle-load against our ResourceManager: what it says it did is what the ResourceManager counted."""
import json
import subprocess

import pytest

from cluster import BIN, get_json, wait_until

pytestmark = pytest.mark.daemons
NODES, MASTERS = 40, 6


@pytest.fixture
def manager(new_cluster):
    """A ResourceManager of ours without nodes."""
    return new_cluster(rm="heddle", nodes=(), history=False)


def load(cluster, mode: str, ports: tuple, *options) -> dict:
    command = [str(BIN / "heddle-load"), mode, "--server-pid",
               str(cluster.daemons["rm"].process.pid)]
    for port in ports:
        command += [f"--{port}", f"localhost:{cluster.port[port]}"]
    done = subprocess.run([*command, *map(str, options)], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bean(cluster, name: str) -> dict:
    address = f"http://localhost:{cluster.port['web']}/jmx?qry=Hadoop:service=ResourceManager,name="
    found = get_json(address + name)["beans"]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def calls(cluster, port: str) -> int:
    return bean(cluster, f"RpcActivityForPort{cluster.port[port]}")["RpcProcessingTimeNumOps"]


def test_heartbeats_are_those_that_the_manager_answered(manager):
    said = load(manager, "heartbeats", ("tracker",), "--nodes", NODES, "--connections", 7,
                "--warm-up", 500, "--count", 3000)
    totals, window = said["totals"], said["window"]["heartbeats"]
    assert totals["registrations"] == NODES and totals["resyncs"] == 0
    assert totals["heartbeats"] >= 3500 and window["count"] >= 2900
    assert calls(manager, "tracker") == totals["heartbeats"] + totals["registrations"]
    assert len(manager.wait_for_nodes(NODES)) == NODES


@pytest.mark.parametrize("life", ("release", "run"))
def test_containers_are_those_that_the_manager_allocated(manager, life):
    said = load(manager, "allocate", ("tracker", "scheduler", "client"), "--nodes", NODES,
                "--masters", MASTERS, "--containers", 10, "--queues", "default,alpha",
                "--heartbeats", 50 * NODES, "--life", life, "--warm-up", 200, "--count", 2000)
    totals = said["totals"]
    assert totals["masters"] == totals["masters_ended"] == MASTERS
    assert totals["containers_granted"] >= 2200
    # The sums are shown at intervals: before the first of them, nothing is allocated either.
    ended = {"AggregateContainersReleased": totals["containers_granted"],
             "AppsCompleted": MASTERS}
    wait_until("the masters' end shows", lambda: ended.items() <= bean(
        manager, "QueueMetrics,q0=root").items(), 60)
    root = bean(manager, "QueueMetrics,q0=root")
    assert root["AllocatedContainers"] == 0
    assert root["AggregateContainersAllocated"] == totals["containers_granted"]
    # Each allocate call was answered, and each master registered and left.
    assert calls(manager, "scheduler") >= totals["allocate_calls"] + 2 * MASTERS
    if life == "release":
        assert totals["containers_reported_running"] == 0
    else:
        assert totals["containers_finished"] <= totals["containers_reported_finished"]
        assert totals["containers_finished"] >= totals["containers_granted"] - 10 * MASTERS


def test_submissions_are_those_that_the_manager_keeps(manager):
    said = load(manager, "submit", ("client",), "--clients", 5, "--report", "--warm-up", 20,
                "--count", 200)
    totals = said["totals"]
    assert totals["submissions"] == totals["reports"] >= 220
    wait_until("the sums follow", lambda: bean(
        manager, "QueueMetrics,q0=root")["AppsSubmitted"] == totals["submissions"], 60)
    assert len(manager.apps()) == totals["submissions"]
