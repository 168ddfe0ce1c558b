"""Our daemons beside Java ones: each side takes the other for one of its own."""
import pytest

from cluster import wait_until
from test_nodes import MAPS, count_of, runs_a_map_on

pytestmark = pytest.mark.mixed


def run_pi(cluster):
    answer = cluster.clients.example("pi", 2, 10).ok()
    assert "Estimated value of Pi is 3.8" in answer.out, str(answer)
    cluster.check_alive()


def test_a_java_node_joins_our_resource_manager(new_cluster):
    run_pi(new_cluster(rm="heddle", nodes=("java",)))


def test_our_node_joins_a_java_resource_manager(new_cluster):
    run_pi(new_cluster(rm="java", nodes=("heddle",)))


@pytest.mark.heavy
def test_a_java_node_and_ours_share_one_job(new_cluster):
    # Room for the AM and one task a node: each has to take a part.
    cluster = new_cluster(rm="heddle", nodes=("heddle", "java"), node_memory_mb=2048)
    job = cluster.clients.start_sleep_job(maps=MAPS, map_ms=8000, reduces=1)
    application = cluster.wait_for_app(job)
    for name in cluster.node_names():
        wait_until(f"{name} runs a map", lambda n=name: runs_a_map_on(cluster, application, n), 60)
    answer = job.wait(180).ok()
    assert count_of(answer, "Shuffled Maps ") == MAPS, str(answer)
    assert cluster.wait_for_state(answer.application(), "FINISHED")["finalStatus"] == "SUCCEEDED"
