"""Changing queues while the cluster runs: the unmodified `yarn schedulerconf` and REST against a
ResourceManager that keeps changes. What can be told by both is compared with real Hadoop."""
import json
import subprocess
import urllib.error
import urllib.request

import pytest

import golden
from cluster import BIN, wait_until, write_xml

pytestmark = pytest.mark.queue_config
STORE = "yarn.scheduler.configuration.store.class"
PREFIX = "yarn.scheduler.capacity."
EX_CONFIG = 78


@pytest.fixture(scope="module")
def mutable(pytestconfig):
    """A ResourceManager alone, whose queues are kept in memory."""
    from conftest import living
    yield from living(pytestconfig, nodes=(), history=False, yarn={STORE: "memory"})


@pytest.fixture
def as_on_hadoop(pytestconfig, mutable):
    def compare(name, lines):
        golden.check(name, lines, pytestconfig.getoption("--update-golden"))
    return compare


def settings(cluster) -> dict:
    return {item["name"]: item["value"] for item in cluster.get("scheduler-conf")["property"]}


def queue_names(cluster) -> list:
    info = cluster.get("scheduler")["scheduler"]["schedulerInfo"]
    return [queue["queueName"] for queue in info["queues"]["queue"]]


def call(cluster, method: str, path: str, body: str = "", kind: str = "application/json",
         accept: str = "application/json"):
    """Status, content type and text of an answer below /ws/v1/cluster/."""
    request = urllib.request.Request(
        f"http://localhost:{cluster.port['web']}/ws/v1/cluster/{path}",
        data=body.encode() if method != "GET" else None, method=method,
        headers={"Content-Type": kind, "Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


# In the order in which they change the queues.
COMMANDS = {
    "schedulerconf-update": ["-update", "root.alpha:maximum-capacity=90"],
    "schedulerconf-update-two": ["-update", "root.default:capacity=50;root.alpha:capacity=40"],
    "schedulerconf-global": ["-global", PREFIX + "maximum-applications=123"],
    "schedulerconf-add": ["-add", "root.gamma:capacity=0,maximum-capacity=10"],
    "schedulerconf-add-with-comma": ["-update", "root.gamma:acl_submit_applications=u1\\,u2 g1"],
    "schedulerconf-add-existing": ["-add", "root.gamma:capacity=0"],
    "schedulerconf-add-invalid": ["-add", "gamma:capacity=0"],
    "schedulerconf-remove-unknown": ["-remove", "root.nosuch"],
    "schedulerconf-stop": ["-update", "root.gamma:state=STOPPED"],
    "schedulerconf-remove": ["-remove", "root.gamma"],
    "schedulerconf-nothing": [],
    "schedulerconf-no-value": ["-update", "root.alpha:capacity"],
    "schedulerconf-format": ["-format"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_schedulerconf_says_what_it_says_on_hadoop(mutable, as_on_hadoop, name):
    answer = mutable.clients.yarn("schedulerconf", *COMMANDS[name])
    as_on_hadoop(name, golden.transcript(answer, mutable.folder))


def test_schedulerconf_changes_what_it_was_told(mutable):
    clients = mutable.clients
    clients.yarn("schedulerconf", "-add", "root.delta:capacity=0,user-limit-factor=3",
                 "-global", PREFIX + "maximum-applications=77").ok()
    now = settings(mutable)
    assert now[PREFIX + "root.queues"].split(",")[-1] == "delta"
    assert now[PREFIX + "root.delta.user-limit-factor"] == "3"
    assert now[PREFIX + "maximum-applications"] == "77"
    assert "delta" in queue_names(mutable)
    shown = clients.yarn("schedulerconf", "-getConf").ok()
    assert f"<name>{PREFIX}root.delta.capacity</name>" in shown.out, str(shown)
    clients.yarn("schedulerconf", "-update", "root.delta:state=STOPPED").ok()
    clients.yarn("schedulerconf", "-remove", "root.delta").ok()
    assert "delta" not in queue_names(mutable)
    assert not [name for name in settings(mutable) if "delta" in name]


def test_a_bad_change_changes_nothing(mutable):
    before = settings(mutable)
    answer = mutable.clients.yarn("schedulerconf", "-update", "root.alpha:capacity=99")
    assert answer.code == 255 and "Configuration change unsuccessful" in answer.err, str(answer)
    assert settings(mutable) == before


def test_removing_a_running_queue_is_refused_in_hadoops_words(mutable):
    status, text = call(mutable, "PUT", "scheduler-conf", json.dumps(
        {"remove-queue": ["root.beta"], "update-queue": [
            {"queue-name": "root.default", "params": {"entry": [
                {"key": "capacity", "value": "70"}]}}]}))
    assert status >= 400
    assert "root.beta cannot be deleted from the capacity scheduler configuration" in text


# Method, path, body, content type, Accept.
CALLS = {
    "rest-conf-version": ("GET", "scheduler-conf/version"),
    "rest-conf-version-xml": ("GET", "scheduler-conf/version", "", "application/json",
                              "application/xml"),
    "rest-conf-put-json": ("PUT", "scheduler-conf", json.dumps(
        {"update-queue": {"queue-name": "root.alpha", "params": {
            "entry": {"key": "maximum-capacity", "value": "80"}}}})),
    "rest-conf-put-xml": ("PUT", "scheduler-conf", (
        "<sched-conf><update-queue><queue-name>root.alpha</queue-name><params><entry>"
        "<key>maximum-capacity</key><value>70</value></entry></params></update-queue>"
        "</sched-conf>"), "application/xml"),
    "rest-conf-validate-unknown": ("POST", "scheduler-conf/validate", json.dumps(
        {"remove-queue": "root.nosuch"})),
    "rest-conf-put-existing": ("PUT", "scheduler-conf", json.dumps(
        {"add-queue": {"queue-name": "root.alpha"}})),
    "rest-conf-put-bad-json": ("PUT", "scheduler-conf", "{"),
}


@pytest.mark.parametrize("name", CALLS)
def test_rest_answers_what_hadoop_answers(mutable, against, as_on_hadoop, name):
    status, text = call(mutable, *CALLS[name])
    if name == "rest-conf-put-bad-json":  # how it is told is ours
        assert status == 400 if against == "heddle" else status >= 400
        return
    if "version" in name:  # counted since the start of each run
        text = "".join(c if not c.isdigit() else "" for c in text.split("?>")[-1])
    as_on_hadoop(name, [f"{status}", *text.splitlines()])


def test_the_version_grows_by_one_with_each_change(mutable):
    before = int(mutable.get("scheduler-conf/version")["versionID"])
    mutable.clients.yarn("schedulerconf", "-global", "my.key=1").ok()
    assert int(mutable.get("scheduler-conf/version")["versionID"]) == before + 1


def test_validation_answers_the_settings_and_changes_nothing(mutable):
    body = json.dumps({"update-queue": {"queue-name": "root.alpha", "params": {
        "entry": {"key": "maximum-capacity", "value": "55"}}}})
    status, text = call(mutable, "POST", "scheduler-conf/validate", body)
    assert status == 200, text
    shown = {item["name"]: item["value"] for item in json.loads(text)["property"]}
    assert shown[PREFIX + "root.alpha.maximum-capacity"] == "55"
    assert settings(mutable)[PREFIX + "root.alpha.maximum-capacity"] != "55"


# --- ours alone ----------------------------------------------------------------------------------

@pytest.mark.heddle
def test_kept_changes_survive_kill_9(new_cluster):
    cluster = new_cluster(nodes=(), history=False, yarn={STORE: "fs"})
    cluster.clients.yarn("schedulerconf", "-update", "root.alpha:maximum-capacity=61").ok()
    cluster.daemons["rm"].kill()
    cluster.start_rm()
    assert settings(cluster)[PREFIX + "root.alpha.maximum-capacity"] == "61"
    assert cluster.get("scheduler-conf/version")["versionID"] == "2"



def queue_file(cluster):
    (found,) = [path for path in cluster.folder.rglob("capacity-scheduler.xml")
                if path.parent.name.endswith("rm")]
    return found


@pytest.mark.heddle
def test_a_broken_file_at_start_leaves_the_last_good_queues(tmp_path):
    write_xml(tmp_path / "yarn-site.xml", {
        "heddle.state.dir": tmp_path / "state",
        **{f"yarn.resourcemanager.{name}": "localhost:0" for name in
           ("address", "scheduler.address", "resource-tracker.address", "admin.address",
            "webapp.address")}})
    good = {PREFIX + "root.queues": "a,b", PREFIX + "root.a.capacity": 40,
            PREFIX + "root.b.capacity": 60}
    file = tmp_path / "capacity-scheduler.xml"
    write_xml(file, good)
    run_once(tmp_path, lambda web: None)
    for broken, says in ((file.read_text()[:-30], "capacity-scheduler.xml: line"),
                         (file.read_text().replace("40", "140"), "140")):
        file.write_text(broken)

        def look(web, says=says):
            state = json.load(urllib.request.urlopen(f"{web}/ws/v1/heddle/queue-config"))
            assert state["version"] == 1 and says in state["fault"], state
            tree = json.load(urllib.request.urlopen(f"{web}/ws/v1/cluster/scheduler"))
            queues = tree["scheduler"]["schedulerInfo"]["queues"]["queue"]
            assert [queue["capacity"] for queue in queues] == pytest.approx([40, 60], rel=1e-6)
        log = run_once(tmp_path, look)
        assert "capacity-scheduler.xml is broken; version 1 of the queues" in log, log
        write_xml(file, good)


@pytest.mark.heddle
def test_a_broken_file_at_the_first_start_is_told_with_all_faults(tmp_path):
    write_xml(tmp_path / "yarn-site.xml", {"heddle.state.dir": tmp_path / "state"})
    write_xml(tmp_path / "capacity-scheduler.xml", {
        PREFIX + "root.queues": "a,b", PREFIX + "root.a.capacity": 140,
        PREFIX + "root.b.state": "ASLEEP"})
    answer = subprocess.run([BIN / "heddle-rm", "--conf", tmp_path], text=True,
                            capture_output=True, timeout=20, check=False)
    assert answer.returncode == EX_CONFIG, answer
    assert "140" in answer.stderr and "ASLEEP" in answer.stderr, answer


def run_once(conf, look) -> str:
    """Starts a ResourceManager, looks at it by its web address, stops it; its log."""
    ports = conf / "state" / "ports.properties"
    ports.unlink(missing_ok=True)
    rm = subprocess.Popen([BIN / "heddle-rm", "--conf", conf], text=True, stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL)
    try:
        wait_until("the ports are written", lambda: ports.exists() or rm.poll() is not None, 20)
        assert rm.poll() is None, rm.stderr.read()
        chosen = dict(line.split("=", 1) for line in ports.read_text().splitlines() if "=" in line)
        look("http://" + chosen["yarn.resourcemanager.webapp.address"].strip())
    finally:
        rm.terminate()
        log = rm.communicate(timeout=20)[1]
    return log


@pytest.mark.heddle
def test_the_queue_commands_of_heddle_work_together(new_cluster):
    cluster = new_cluster(nodes=(), history=False, yarn={STORE: "fs"})

    def heddle(*words, code=0):
        answer = subprocess.run([BIN / "heddle", *words, "--conf", cluster.conf], text=True,
                                capture_output=True, timeout=20, check=False)
        assert answer.returncode == code, answer
        return answer

    heddle("queue", "add", "root.lab", "capacity=0", "user-limit-factor=2")
    assert "root.lab" in heddle("queue", "list", "-q").stdout
    dry = heddle("queue", "set", "root.lab", "maximum-capacity=5", "--dry-run", "-o", "json")
    assert json.loads(dry.stdout)["items"][0]["settings"] == "maximum-capacity=5"
    heddle("queue", "remove", "root.lab", code=2)
    heddle("queue", "stop", "root.lab")
    heddle("queue", "remove", "root.lab")
    assert "root.lab" in heddle("queue", "diff", "--version", "2").stdout
    heddle("queue", "rollback", "2")
    assert "root.lab" in heddle("queue", "list", "-q").stdout
    history = json.loads(heddle("queue", "history", "-o", "json").stdout)["items"]
    assert [item["change"] for item in history] == [
        "roll back to version 2", "remove root.lab", "update root.lab (state=STOPPED)",
        "add root.lab (capacity=0, user-limit-factor=2)", "start: the file"]
    many = heddle("queue", "set", "root.alpha", "capacity=x", "state=ASLEEP", code=2).stderr
    assert "ASLEEP" in many and '"x" is not a capacity' in many, many


@pytest.mark.heddle
def test_a_changed_file_is_read_by_itself_where_the_policy_is_on(new_cluster):
    cluster = new_cluster(nodes=(), history=False, yarn={
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        "yarn.resourcemanager.scheduler.monitor.policies":
            "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity."
            "QueueConfigurationAutoRefreshPolicy",
        PREFIX + "queue.auto.refresh.monitoring-interval": "50"})
    file = queue_file(cluster)
    file.write_text(file.read_text().replace(
        "</configuration>", f"<property><name>{PREFIX}root.alpha.maximum-capacity</name>"
        "<value>64</value></property></configuration>"))

    def is_in_force():
        info = cluster.get("scheduler")["scheduler"]["schedulerInfo"]
        return [64.0] == [queue["maxCapacity"] for queue in info["queues"]["queue"]
                          if queue["queueName"] == "alpha"]
    wait_until("the file is in force", is_in_force, 20)
