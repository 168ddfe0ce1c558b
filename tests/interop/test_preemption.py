"""A queue gets its guarantee back from one that holds more, and a job of higher priority room from another in its queue, while
 real MapReduce jobs run."""
import json

import pytest

from cluster import wait_until
from test_heddle import heddle
from test_placement_rules import call

pytestmark = pytest.mark.mapreduce
MONITOR = "yarn.resourcemanager.monitor.capacity.preemption."
SETTINGS = {"yarn.resourcemanager.scheduler.monitor.enable": "true",
            MONITOR + "monitoring_interval": 200, MONITOR + "max_wait_before_kill": 1000,
            MONITOR + "total_preemption_per_round": "1.0",
            MONITOR + "intra-queue-preemption.enabled": "true",
            MONITOR + "intra-queue-preemption.preemption-order-policy": "priority_first"}


def test_a_job_below_its_guarantee_takes_room_from_one_above_and_both_go_on(new_cluster):
    cluster = new_cluster(yarn=SETTINGS, node_memory_mb=8192)
    # Eight containers of 1 GB fill the node: its queue is guaranteed 60 %.
    large = cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=default", maps=7,
                                            map_ms=600_000)
    large_app = cluster.wait_for_app(large)
    wait_until("eight containers", lambda: cluster.app(large_app)["runningContainers"] == 8, 90)
    assert cluster.app(large_app)["preemptedResourceMB"] == 0
    check_explanations(cluster)

    small = cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=alpha", map_ms=1000)
    small_app = cluster.wait_for_app(small)
    small.wait(120).ok()
    assert cluster.app(small_app)["finalStatus"] == "SUCCEEDED"

    preempted = cluster.app(large_app)
    assert preempted["state"] == "RUNNING", "it goes on"
    assert preempted["numNonAMContainerPreempted"] == 2, "an AM and a map of the other job"
    assert preempted["numAMContainerPreempted"] == 0
    assert preempted["preemptedResourceMB"] == 2048
    wait_until("what it lost to come back",
               lambda: cluster.app(large_app)["runningContainers"] == 8, 90)

    # Inside its own queue, for a job of the same user with a higher priority.
    urgent = cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=default",
                                             "-Dmapreduce.job.priority=VERY_HIGH", map_ms=1000)
    urgent_app = cluster.wait_for_app(urgent)
    urgent.wait(120).ok()
    assert cluster.app(urgent_app)["finalStatus"] == "SUCCEEDED"
    preempted = cluster.app(large_app)
    assert preempted["state"] == "RUNNING"
    assert preempted["numNonAMContainerPreempted"] == 4, "two more, for the master and its map"
    cluster.clients.yarn("application", "-kill", large_app).ok()
    large.wait(60)


def check_explanations(cluster) -> None:
    """The node is full, and `default` is above its guarantee: one more of it waits."""
    _, fresh = call(cluster, "POST", "apps/new-application", "root")
    waits = fresh["application-id"]
    call(cluster, "POST", "apps", "root", {
        "application-id": waits, "application-name": "waits", "application-type": "YARN",
        "queue": "default", "am-container-spec": {"commands": {"command": "true"}},
        "resource": {"memory": 1024, "vCores": 1}})
    told = wait_until("it waits for room", lambda: explained(cluster, waits, "cluster-full"), 30)
    assert (told["position"], told["queue"]) == (1, "root.default")
    assert told["number"]["unit"] == "memory-mb"
    assert [(group["verdict"], group["count"]) for group in told["asks"][0]["nodes"]] == [
        ("no-room", 1)]
    words = heddle("--conf", cluster.conf, "explain", waits)
    assert words.returncode == 0 and told["sentence"] in words.stdout, words
    report = cluster.app(waits)
    assert report["state"] == "ACCEPTED"
    assert report["diagnostics"].startswith("Application is Activated, waiting for resources")
    activities = cluster.get(f"scheduler/app-activities/{waits}?groupBy=diagnostic")
    request = activities["appActivities"]["allocations"][0]["children"][0]
    assert request["allocationState"] == "SKIPPED"
    assert request["children"][0]["count"] == 1
    assert "insufficient resources=[memory-mb" in request["children"][0]["diagnostic"]
    queues = cluster.get("scheduler/activities")["activities"]["allocations"][0]["root"]
    assert waits in json.dumps(queues)

    for words, verdict in (
            (("--queue", "alpha", "--memory", 1024, "--count", 3), "cluster-full"),
            (("--queue", "alpha", "--memory", 10**9), "above-maximum-allocation"),
            (("--queue", "alpha", "--at", "nosuch", "--no-am"), "no-such-place")):
        answer = heddle("--conf", cluster.conf, "explain", *words, "-q")
        assert (answer.returncode, answer.stdout.strip()) == (0, verdict), answer
    for words, code in ((("--queue", "nosuch"), 1), (("--queue", "alpha", "--memory", "x"), 2),
                        (("application_1_0001",), 1)):
        assert heddle("--conf", cluster.conf, "explain", *words).returncode == code, words
    call(cluster, "PUT", f"apps/{waits}/state", "root", {"state": "KILLED"})
    cluster.wait_for_state(waits, "KILLED")


def explained(cluster, application: str, verdict: str) -> dict | None:
    answer = heddle("--conf", cluster.conf, "explain", application, "-o", "json")
    told = json.loads(answer.stdout)["item"] if answer.returncode == 0 else {"verdict": ""}
    return told if told["verdict"] == verdict else None
