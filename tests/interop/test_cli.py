"""The commands of `yarn` and `mapred`, as administrators and scripts use them."""
import re
import time

import pytest

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def job(shared_cluster):
    """A job that runs while the commands are tried: its application id."""
    running = shared_cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=alpha",
                                                     map_ms=600_000)
    application = shared_cluster.wait_for_app(running)
    yield application
    shared_cluster.clients.yarn("application", "-kill", application)
    running.stop()


@pytest.fixture(scope="module")
def finished(shared_cluster):
    """The id of a job that has finished."""
    return shared_cluster.clients.example("pi", 1, 10).ok().application()


def fields(text: str) -> dict:
    """`name : value` lines."""
    found = re.findall(r"^\s*([^:\n]+?) : ?(.*?)\s*$", text, re.MULTILINE)
    return dict(found)


def test_version(cluster):
    assert "Hadoop 3.4.2" in cluster.clients.yarn("version").ok().out


def test_node_list_shows_every_node(cluster):
    answer = cluster.clients.yarn("node", "-list", "-all").ok()
    assert "Total Nodes:1" in answer.out, str(answer)
    assert re.search(r"localhost:\d+\s+RUNNING\s+localhost:\d+\s+\d+", answer.out), str(answer)


def test_node_status_shows_its_size(cluster):
    node = cluster.wait_for_nodes(1)[0]["id"]
    shown = fields(cluster.clients.yarn("node", "-status", node).ok().out)
    assert shown["Node-Id"] == node
    assert shown["Node-State"] == "RUNNING"
    assert shown["Memory-Capacity"] == "4096MB"
    assert shown["CPU-Capacity"] == "8 vcores"


def test_queue_status_shows_the_share(cluster):
    shown = fields(cluster.clients.yarn("queue", "-status", "alpha").ok().out)
    assert shown["Queue Name"] == "alpha"
    assert shown["Queue Path"] == "root.alpha"
    assert shown["State"] == "RUNNING"
    assert shown["Capacity"] == "30.00%"
    assert shown["Maximum Capacity"] == "100.00%"


def test_status_of_an_unknown_queue_fails(cluster):
    answer = cluster.clients.yarn("queue", "-status", "nosuch")
    assert answer.code == 255
    assert "Cannot get queue from RM by queueName = nosuch" in answer.out + answer.err


def test_mapred_queue_list_shows_the_queues(cluster):
    answer = cluster.clients.mapred("queue", "-list").ok()
    for queue in ("default", "alpha", "beta"):
        assert re.search(rf"Queue Name : (root\.)?{queue}\b", answer.out), str(answer)


def test_rmadmin_refreshes_queues(cluster):
    cluster.clients.yarn("rmadmin", "-refreshQueues").ok()


def test_rmadmin_refreshes_nodes(cluster):
    cluster.clients.yarn("rmadmin", "-refreshNodes").ok()


def test_application_list_shows_the_running_job(cluster, job):
    answer = cluster.clients.yarn("application", "-list").ok()
    line = next(line for line in answer.out.splitlines() if job in line)
    assert "Sleep job" in line and "MAPREDUCE" in line and "RUNNING" in line, line


def test_application_list_selects_by_state(cluster, job):
    answer = cluster.clients.yarn("application", "-list", "-appStates", "KILLED,FAILED").ok()
    assert job not in answer.out


def test_application_status_shows_the_running_job(cluster, job):
    shown = fields(cluster.clients.yarn("application", "-status", job).ok().out)
    assert shown["Application-Id"] == job
    assert shown["State"] == "RUNNING"
    assert shown["Final-State"] == "UNDEFINED"
    assert shown["Queue"] == "root.alpha"
    assert shown["Application-Type"] == "MAPREDUCE"
    assert shown["RPC Port"].isdigit()


def test_status_of_an_unknown_application_fails(cluster):
    answer = cluster.clients.yarn("application", "-status", "application_1_0001")
    assert answer.code == 255
    assert "doesn't exist in RM or Timeline Server" in answer.out + answer.err, str(answer)


def test_attempts_and_containers_of_the_job_are_listed(cluster, job):
    attempts = cluster.clients.yarn("applicationattempt", "-list", job).ok()
    attempt = re.search(r"appattempt_\d+_\d+_000001", attempts.out)
    assert attempt, str(attempts)
    containers = cluster.clients.yarn("container", "-list", attempt.group()).ok()
    assert re.search(r"container_\d+_\d+_01_000001", containers.out), str(containers)


def test_mapred_job_list_shows_the_running_job(cluster, job):
    answer = cluster.clients.mapred("job", "-list").ok()
    assert "Total jobs:1" in answer.out and job.replace("application", "job") in answer.out


def test_a_running_job_moves_to_another_queue(cluster, job):
    answer = cluster.clients.yarn("application", "-movetoqueue", job, "-queue", "beta").ok()
    assert "Successfully completed move" in answer.out + answer.err, str(answer)
    assert cluster.app(job)["queue"] in ("beta", "root.beta")


def test_a_running_job_gets_another_priority(cluster, job):
    cluster.clients.yarn("application", "-updatePriority", "4", "-appId", job).ok()
    assert int(cluster.app(job)["priority"]) == 4


def test_logs_of_a_running_container_are_shown(cluster, job):
    answer = cluster.clients.yarn("logs", "-applicationId", job, "-am", "1", "-log_files",
                                  "syslog").ok()
    assert "LogType:syslog" in answer.out, str(answer)
    assert "Executing with tokens" in answer.out, str(answer)


def test_top_shows_the_running_job(cluster, job):
    top = cluster.clients.start_class("org.apache.hadoop.yarn.client.cli.TopCLI", "-rows", "40",
                                      "-cols", "160")
    deadline = time.monotonic() + 40
    while job not in top.so_far().out and time.monotonic() < deadline:
        time.sleep(0.2)
    top.stop()
    answer = top.so_far()
    assert job in answer.out and "1 active" in answer.out, str(answer)


def test_logs_of_a_finished_application_are_shown(cluster, finished):
    answer = cluster.clients.yarn("logs", "-applicationId", finished)
    deadline = time.monotonic() + 60
    while answer.code != 0 and time.monotonic() < deadline:  # aggregation goes on behind the end
        answer = cluster.clients.yarn("logs", "-applicationId", finished)
    answer.ok()
    assert "LogType:syslog" in answer.out and "LogType:stdout" in answer.out, str(answer)
    assert f"container_{finished.removeprefix('application_')}_01_000001" in answer.out


def test_a_finished_application_is_listed_as_such(cluster, finished):
    answer = cluster.clients.yarn("application", "-list", "-appStates", "FINISHED").ok()
    line = next(line for line in answer.out.splitlines() if finished in line)
    assert "SUCCEEDED" in line and "100%" in line, line
