"""The commands of `yarn` and `mapred`, as administrators and scripts use them.

What they print is compared with what they print on real Hadoop (golden.py). The tests stand in the
order in which they change the one running job.
"""
import re
import time

import pytest

from cluster import wait_until
from test_mapreduce import task_process

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def job(shared_cluster):
    """A job whose AM and one map run while the commands are tried: its application id."""
    running = shared_cluster.clients.start_sleep_job("-Dmapreduce.job.queuename=alpha",
                                                     map_ms=600_000)
    application = shared_cluster.wait_for_app(running)
    wait_until("the map runs", lambda: task_process(application, "m_000000_0"), 60)
    wait_until("the node has told of it", lambda: has_two_containers(shared_cluster, application),
               30)
    yield application
    shared_cluster.clients.yarn("application", "-kill", application)
    running.stop()


def has_two_containers(cluster, application: str) -> bool:
    return cluster.app(application)["runningContainers"] == 2 and \
        [node["numContainers"] for node in cluster.wait_for_nodes(1)] in ([2], ["2"])


@pytest.fixture(scope="module")
def finished(shared_cluster):
    """The id of a job that has finished."""
    application = shared_cluster.clients.example("pi", 1, 10).ok().application()
    wait_until("its logs are aggregated", lambda: shared_cluster.app(application)
               ["logAggregationStatus"] == "SUCCEEDED", 60)
    return application


def names(cluster, application: str) -> dict:
    """What the commands below have in braces."""
    attempt = application.replace("application", "appattempt") + "_000001"
    container = application.replace("application", "container") + "_01_000001"
    return {"app": application, "job": application.replace("application", "job"),
            "attempt": attempt, "am": container, "node": cluster.wait_for_nodes(1)[0]["id"]}


def ask(cluster, command: str, application: str):
    """The answer to e.g. "yarn application -status {app}"."""
    program, name, *arguments = (word.format(**names(cluster, application))
                                 for word in command.split())
    return getattr(cluster.clients, program)(name, *arguments)


def cases(table: dict) -> list:
    """The parameters of a test from name and command."""
    return [pytest.param(name, command, id=name) for name, command in table.items()]


def test_version(cluster):
    assert "Hadoop 3.4.2" in cluster.clients.yarn("version").ok().out


@pytest.mark.parametrize("name, command", cases({
    "node-list": "yarn node -list -all",
    "node-list-details": "yarn node -list -showDetails",
    "node-list-lost": "yarn node -list -states LOST",
    "node-status": "yarn node -status {node}",
    "node-status-unknown": "yarn node -status nosuch:1",
    "queue-status": "yarn queue -status alpha",
    "queue-status-idle": "yarn queue -status beta",
    "queue-status-unknown": "yarn queue -status nosuch",
    "queue-status-parent": "yarn queue -status root",
    "queue-list": "yarn queue -list all",
    "application-list": "yarn application -list",
    "application-list-of-another-type": "yarn application -list -appTypes SPARK",
    "application-list-of-other-states": "yarn application -list -appStates KILLED,FAILED",
    "application-status": "yarn application -status {app}",
    "application-status-unknown": "yarn application -status application_1_0001",
    "application-status-malformed": "yarn application -status application_x",
    "attempt-list": "yarn applicationattempt -list {app}",
    "attempt-status": "yarn applicationattempt -status {attempt}",
    "container-list": "yarn container -list {attempt}",
    "container-status": "yarn container -status {am}",
    "container-status-unknown": "yarn container -status container_1_0001_01_000001",
    "container-signal": "yarn container -signal {am} OUTPUT_THREAD_DUMP",
    "cluster-labels": "yarn cluster --list-node-labels",
    "logs-info": "yarn logs -applicationId {app} -show_application_log_info",
    "logs-unknown": "yarn logs -applicationId application_1_0001",
    "schedulerconf": "yarn schedulerconf -getConf",
    "mapred-queue-list": "mapred queue -list",
    "mapred-job-list": "mapred job -list",
    "rmadmin-refreshQueues": "yarn rmadmin -refreshQueues",
    "rmadmin-refreshNodes": "yarn rmadmin -refreshNodes",
    "rmadmin-refreshAdminAcls": "yarn rmadmin -refreshAdminAcls",
    "rmadmin-refreshSuperUser": "yarn rmadmin -refreshSuperUserGroupsConfiguration",
    "rmadmin-refreshUserToGroups": "yarn rmadmin -refreshUserToGroupsMappings",
    "rmadmin-getGroups": "yarn rmadmin -getGroups nobody",
    "rmadmin-getServiceState": "yarn rmadmin -getServiceState rm1",
    "rmadmin-add-labels": "yarn rmadmin -addToClusterNodeLabels gpu(exclusive=true)",
    "rmadmin-updateNodeResource": "yarn rmadmin -updateNodeResource {node} 4096 8",
    "kill-unknown": "yarn application -kill application_1_0001",
    "move-to-an-unknown-queue": "yarn application -movetoqueue {app} -queue nosuch",
    "move": "yarn application -movetoqueue {app} -queue beta",
    "change-queue": "yarn application -appId {app} -changeQueue default",
    "update-priority": "yarn application -updatePriority 4 -appId {app}",
    "update-lifetime": "yarn application -updateLifetime 3600 -appId {app}",
    "application-status-changed": "yarn application -status {app}",
}))
def test_with_a_running_job_real_hadoop_would_say_the_same(cluster, job, as_recorded, name,
                                                           command):
    as_recorded(name, ask(cluster, command, job), sort=name == "container-list")


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


@pytest.mark.parametrize("name, command", cases({
    "finished-status": "yarn application -status {app}",
    "finished-list": "yarn application -list -appStates FINISHED -appTypes MAPREDUCE",
    "finished-attempts": "yarn applicationattempt -list {app}",
    "finished-attempt-status": "yarn applicationattempt -status {attempt}",
    "finished-containers": "yarn container -list {attempt}",
    "finished-move": "yarn application -movetoqueue {app} -queue beta",
    "finished-kill": "yarn application -kill {app}",
}))
def test_of_a_finished_job_real_hadoop_would_say_the_same(cluster, finished, as_recorded, name,
                                                          command):
    as_recorded(name, ask(cluster, command, finished), sort=True)


@pytest.mark.parametrize("name, command", cases({
    "kill": "yarn application -kill {app}",
    "killed-kill": "yarn application -kill {app}",
    "killed-status": "yarn application -status {app}",
    "killed-list": "yarn application -list -appStates KILLED",
    "application-list-all": "yarn application -list -appStates ALL",
    "killed-attempt-status": "yarn applicationattempt -status {attempt}",
    "mapred-job-list-all": "mapred job -list all",
}))
def test_of_a_killed_job_real_hadoop_would_say_the_same(cluster, job, finished, as_recorded, name,
                                                        command):
    as_recorded(name, ask(cluster, command, job), sort=True)
