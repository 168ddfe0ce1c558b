"""How our daemons start and stop, as a supervisor sees it."""
import socket
import subprocess

import pytest

from cluster import BIN, wait_until, write_xml

pytestmark = pytest.mark.daemons
EX_CONFIG = 78


def start(program: str, *args) -> subprocess.CompletedProcess:
    return subprocess.run([BIN / program, *map(str, args)], text=True,
                          capture_output=True, timeout=20, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("program", ["heddle-rm", "heddle-nm"])
def test_a_missing_configuration_folder_is_named(program, tmp_path):
    answer = start(program, "--conf", tmp_path / "nowhere")
    assert answer.returncode == EX_CONFIG, answer
    assert str(tmp_path / "nowhere") in answer.stderr, answer


@pytest.mark.parametrize("program", ["heddle-rm", "heddle-nm"])
def test_broken_xml_is_named_with_its_line(program, tmp_path):
    (tmp_path / "yarn-site.xml").write_text("<configuration>\n<property>\n</configuration>\n")
    answer = start(program, "--conf", tmp_path)
    assert answer.returncode == EX_CONFIG, answer
    assert "yarn-site.xml: line 3, column" in answer.stderr, answer


def test_a_value_that_is_no_number_is_named_with_its_place(tmp_path):
    write_xml(tmp_path / "yarn-site.xml", {"heddle.state.dir": tmp_path / "state",
                                           "yarn.scheduler.maximum-allocation-mb": "lots"})
    answer = start("heddle-rm", "--conf", tmp_path)
    assert answer.returncode == EX_CONFIG, answer
    assert "yarn.scheduler.maximum-allocation-mb" in answer.stderr, answer
    assert "yarn-site.xml:4" in answer.stderr, answer


@pytest.mark.parametrize("program, name, value", [
    ("heddle-rm", "hadoop.security.authentication", "kerberos"),
    ("heddle-nm", "hadoop.security.authentication", "kerberos"),
    ("heddle-rm", "hadoop.security.authorization", "true"),
    ("heddle-rm", "hadoop.http.authentication.type", "kerberos"),
    ("heddle-nm", "yarn.http.policy", "HTTPS_ONLY"),
    ("heddle-rm", "yarn.resourcemanager.ha.enabled", "true"),
    ("heddle-nm", "yarn.nodemanager.container-executor.class",
     "org.apache.hadoop.yarn.server.nodemanager.LinuxContainerExecutor")])
def test_protection_that_is_not_there_yet_is_refused(tmp_path, program, name, value):
    write_xml(tmp_path / "yarn-site.xml", {"heddle.state.dir": tmp_path / "state", name: value})
    answer = start(program, "--conf", tmp_path)
    assert answer.returncode == EX_CONFIG, answer
    assert f"{name} = '{value}'" in answer.stderr, answer
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["include", "exclude"])
@pytest.mark.parametrize("file, why", [("folder", "is a folder"), ("nowhere", "No such file"),
                                       ("hosts.xml", "in XML are not supported yet")])
def test_a_list_of_hosts_that_cannot_be_read_lets_nobody_in(tmp_path, name, file, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "hosts.xml").write_text("<hosts/>\n", encoding="ascii")
    listed = f"yarn.resourcemanager.nodes.{name}-path"
    write_xml(tmp_path / "yarn-site.xml", {
        "heddle.state.dir": tmp_path / "state", listed: tmp_path / file,
        "yarn.resourcemanager.webapp.address": "127.0.0.1:0"})
    answer = start("heddle-rm", "--conf", tmp_path)
    assert answer.returncode == EX_CONFIG, answer
    assert listed in answer.stderr and str(tmp_path / file) in answer.stderr, answer
    assert why in answer.stderr, answer


def test_a_taken_port_stops_a_resource_manager_that_has_started_already(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yarn = {"heddle.state.dir": tmp_path / "state",
                "yarn.resourcemanager.webapp.address": "127.0.0.1:0",
                "yarn.resourcemanager.address": "127.0.0.1:0",
                "yarn.resourcemanager.scheduler.address": "127.0.0.1:0",
                "yarn.resourcemanager.resource-tracker.address": "127.0.0.1:0",
                "yarn.resourcemanager.admin.address": f"127.0.0.1:{taken.getsockname()[1]}"}
        write_xml(tmp_path / "yarn-site.xml", yarn)
        answer = start("heddle-rm", "--conf", tmp_path)
    assert answer.returncode > 0, answer
    assert "yarn.resourcemanager.admin.address" in answer.stderr, answer


def test_terminating_ends_them_with_zero(new_cluster):
    cluster = new_cluster(history=False)
    for name in ("nm1", "rm"):
        assert cluster.daemons.pop(name).stop() == 0, name


def test_a_second_resource_manager_on_the_same_state_is_refused(new_cluster):
    cluster = new_cluster(history=False)
    answer = start("heddle-rm", "--conf", cluster.folder / "conf" / "rm")
    assert answer.returncode != 0
    assert "locked" in answer.stderr, answer
    cluster.check_alive()


def test_a_node_that_is_decommissioned_ends_with_zero(new_cluster, tmp_path):
    excluded = tmp_path / "exclude"
    excluded.touch()
    cluster = new_cluster(history=False,
                          yarn={"yarn.resourcemanager.nodes.exclude-path": excluded})
    excluded.write_text("localhost\n", "utf-8")
    node = cluster.daemons.pop("nm1")
    cluster.clients.yarn("rmadmin", "-refreshNodes").ok()
    wait_until("the node ends", lambda: not node.alive(), 30)
    assert node.stop() == 0, node.tail()


def test_the_resource_manager_takes_its_node_back_after_a_restart(new_cluster):
    cluster = new_cluster(history=False)
    cluster.daemons["rm"].kill()
    cluster.start_rm()
    cluster.wait_for_nodes(1)
