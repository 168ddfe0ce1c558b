"""Distributed shell, and an ApplicationMaster that runs outside the cluster."""
import re
import shlex
import struct

import pytest

import hadoop

pytestmark = pytest.mark.dshell
DS_MASTER = "org.apache.hadoop.yarn.applications.distributedshell.ApplicationMaster"
UNMANAGED = "org.apache.hadoop.yarn.applications.unmanagedamlauncher.UnmanagedAMLauncher"


def test_ten_containers_each_run_the_command(cluster):
    marks = cluster.folder / "dshell"
    marks.mkdir()
    answer = cluster.clients.distributed_shell(
        "-shell_command", f"touch {marks}/$CONTAINER_ID", "-num_containers", 10,
        "-container_memory", 256, "-master_memory", 512).ok()
    assert "Application completed successfully" in answer.err + answer.out, str(answer)
    ran = {mark.name for mark in marks.iterdir()}
    assert len(ran) == 10, ran
    assert all(re.fullmatch(r"container_\d+_\d+_01_\d{6}", name) for name in ran), ran


def test_a_failing_command_fails_the_application(cluster):
    answer = cluster.clients.distributed_shell(
        "-shell_command", "exit 3", "-num_containers", 1, "-container_memory", 256,
        "-master_memory", 512)
    assert answer.code == 2, str(answer)
    assert "failed" in (answer.err + answer.out).lower()


def test_an_unmanaged_master_gets_containers(cluster):
    marks = cluster.folder / "unmanaged"
    marks.mkdir()
    command = hadoop.java_command(cluster.conf, DS_MASTER, "--container_memory", 256,
                                  "--num_containers", 2, "--priority", 0)
    # The master reads its command from a file in its folder, as Java's writeUTF writes text.
    home = cluster.folder / "unmanaged-master"
    home.mkdir()
    shell_command = f"touch {marks}/$CONTAINER_ID".encode()
    (home / "shellCommands").write_bytes(struct.pack(">H", len(shell_command)) + shell_command)
    script = home / "start.sh"
    script.write_text(f"cd {home} && exec {shlex.join(command)}\n", encoding="utf-8")
    answer = cluster.clients.run_class(
        UNMANAGED, "-appname", "unmanaged", "-classpath",
        f"{cluster.conf}:{cluster.libraries}/*", "-cmd", f"/bin/bash {script}")
    answer.ok()
    app = cluster.app(answer.application())
    assert (app["state"], app["finalStatus"]) == ("FINISHED", "SUCCEEDED"), str(answer)
    assert app["unmanagedApplication"] in (True, "true")
    assert len(list(marks.iterdir())) == 2
