"""A queue gets its guarantee back from one that holds more, while real MapReduce jobs run in both."""
import pytest

from cluster import wait_until

pytestmark = pytest.mark.mapreduce
MONITOR = "yarn.resourcemanager.monitor.capacity.preemption."
SETTINGS = {"yarn.resourcemanager.scheduler.monitor.enable": "true",
            MONITOR + "monitoring_interval": 200, MONITOR + "max_wait_before_kill": 1000,
            MONITOR + "total_preemption_per_round": "1.0"}


def test_a_job_below_its_guarantee_takes_room_from_one_above_and_both_go_on(new_cluster):
    cluster = new_cluster(yarn=SETTINGS, node_memory_mb=8192)
    # Eight containers of 1 GB fill the node: its queue is guaranteed 60 %.
    large = cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=default", maps=7,
                                            map_ms=600_000)
    large_app = cluster.wait_for_app(large)
    wait_until("eight containers", lambda: cluster.app(large_app)["runningContainers"] == 8, 90)
    assert cluster.app(large_app)["preemptedResourceMB"] == 0

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
    cluster.clients.yarn("application", "-kill", large_app).ok()
    large.wait(60)
