"""Containers that change while they run, and opportunistic ones: with the real clients."""
import pathlib
import re
import shlex

import pytest

import hadoop

pytestmark = pytest.mark.updates
UNMANAGED = "org.apache.hadoop.yarn.applications.unmanagedamlauncher.UnmanagedAMLauncher"
RM = "yarn.resourcemanager."
SMALLEST = {"yarn.scheduler.minimum-allocation-mb": 256}
OPPORTUNISTIC = {
    RM + "opportunistic-container-allocation.enabled": "true",
    "yarn.nodemanager.opportunistic-containers-max-queue-length": 10, **SMALLEST}


def resize(cluster):
    """What the master was told, line by line."""
    home = cluster.folder / "resize"
    home.mkdir()
    source = pathlib.Path(__file__).with_name("ResizeMaster.java")
    command = hadoop.java_command(cluster.conf, str(source), home / "told")
    script = home / "start.sh"
    script.write_text(f"cd {home} && exec {shlex.join(command)}\n", encoding="utf-8")
    answer = cluster.clients.run_class(
        UNMANAGED, "-appname", "resize", "-classpath",
        f"{cluster.conf}:{cluster.libraries}/*", "-cmd", f"/bin/bash {script}")
    answer.ok()
    told = (home / "told").read_text(encoding="utf-8").splitlines()
    return told, str(answer)


def runs_in_dshell(cluster, count, *more):
    """Runs `count` short containers; gives what the logs of the master's agent say of them."""
    marks = cluster.folder / f"marks{len(list(cluster.folder.iterdir()))}"
    marks.mkdir()
    answer = cluster.clients.distributed_shell(
        "-shell_command", f"touch {marks}/$CONTAINER_ID", "-num_containers", count,
        "-container_memory", 256, "-master_memory", 512, *more)
    answer.ok()
    assert "Application completed successfully" in answer.err + answer.out, str(answer)
    ran = {mark.name for mark in marks.iterdir()}
    assert all(re.fullmatch(r"container_\d+_\d+_01_\d{6}", name) for name in ran), ran
    return len(ran)


RESIZED = ["INCREASE_RESOURCE 1 1024", "node 1024", "DECREASE_RESOURCE 2 768", "node 768",
           "refused INCORRECT_CONTAINER_VERSION_ERROR 2"]


def test_a_container_grows_and_shrinks_while_it_runs(new_cluster):
    told, answer = resize(new_cluster(yarn=SMALLEST))
    assert told == RESIZED, answer


@pytest.mark.mixed
@pytest.mark.parametrize("rm, node", [("heddle", "java"), ("java", "heddle")])
def test_a_container_changes_its_size_where_the_other_side_is_java(new_cluster, rm, node):
    told, answer = resize(new_cluster(rm=rm, nodes=(node,), yarn=SMALLEST))
    assert told == RESIZED, answer


def test_opportunistic_containers_run_and_are_promoted(new_cluster):
    cluster = new_cluster(yarn=OPPORTUNISTIC)
    assert runs_in_dshell(cluster, 4, "-container_type", "OPPORTUNISTIC") == 4
    assert runs_in_dshell(cluster, 2, "-container_type", "OPPORTUNISTIC",
                          "-promote_opportunistic_after_start") == 2
    job = cluster.clients.example("pi", "-Dmapreduce.job.num-opportunistic-maps-percent=50", 4, 10)
    assert "Estimated value of Pi is 3.4" in job.ok().out, str(job)


@pytest.mark.mixed
@pytest.mark.parametrize("rm, node", [("heddle", "java"), ("java", "heddle")])
def test_opportunistic_containers_where_the_other_side_is_java(new_cluster, rm, node):
    cluster = new_cluster(rm=rm, nodes=(node,), yarn=OPPORTUNISTIC)
    assert runs_in_dshell(cluster, 4, "-container_type", "OPPORTUNISTIC") == 4


def test_where_the_feature_is_off_they_are_guaranteed(cluster):
    assert runs_in_dshell(cluster, 2, "-container_type", "OPPORTUNISTIC") == 2
