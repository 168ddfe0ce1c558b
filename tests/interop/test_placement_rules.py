"""Placement rules: where real clients' applications go, and what
tests/unit/queues_rules/testdata/placement-rules.txt has (--against java asks real Hadoop)."""
import json
import pathlib
import urllib.error
import urllib.request

import pytest

from cluster import ROOT, wait_until, write_xml

pytestmark = pytest.mark.placement
SCENARIO = ROOT / "tests" / "unit" / "queues_rules" / "testdata" / "placement-rules.txt"
CAPACITY = "yarn.scheduler.capacity."
REJECTED = "rejected by a mapping rule"


def call(cluster, method: str, path: str, user: str, body: dict | None = None) -> tuple:
    """(status, JSON) of a request as `user`."""
    url = f"http://localhost:{cluster.port['web']}/ws/v1/cluster/{path}?user.name={user}"
    request = urllib.request.Request(url, method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json",
                                              "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def settled(app: dict) -> dict | None:
    """Hadoop answers a submission before it has looked at the queue."""
    return None if app["state"] in ("NEW", "NEW_SAVING", "SUBMITTED") else app


def submit(cluster, user: str, queue: str, name: str) -> str:
    """The queue it is in, "rejected", or "failed"."""
    status, fresh = call(cluster, "POST", "apps/new-application", user)
    assert status == 200, fresh
    application = fresh["application-id"]
    status, answer = call(cluster, "POST", "apps", user, {
        "application-id": application, "application-name": name, "application-type": "YARN",
        "queue": queue, "am-container-spec": {"commands": {"command": "true"}},
        "resource": {"memory": 256, "vCores": 1}})
    if status == 400:
        assert REJECTED in answer["RemoteException"]["message"], answer
        return "rejected"
    assert status == 202, (status, answer)
    app = wait_until(f"{application} is accepted or not", lambda: settled(cluster.app(application)),
                     20)
    if app["state"] == "FAILED":
        return "failed"
    call(cluster, "PUT", f"apps/{application}/state", user, {"state": "KILLED"})
    return app["queue"]


class Section:
    def __init__(self, title: str):
        self.title, self.settings, self.json = title, {}, []
        self.cases, self.refused = [], False


def read_scenario() -> tuple:
    """(queues' settings, groups of users, sections); the head of the file says how to read it."""
    queues, groups, sections = {}, {}, []
    for line in SCENARIO.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "queue":
            path, *properties = rest.split()
            queues.update({f"{CAPACITY}{path}.{name}": value for name, value in
                           (one.split("=", 1) for one in properties)})
            if "." in path:
                parent, name = path.rsplit(".", 1)
                queues.setdefault(f"{CAPACITY}{parent}.queues", []).append(name)
        elif word == "user":
            name, *groups[name] = rest.split()
        elif line.startswith("["):
            sections.append(Section(line))
        elif word == "set":
            name, _, value = rest.partition(" ")
            sections[-1].settings[name] = value
        elif word == "json":
            sections[-1].json.append(rest)
        elif word == "refused":
            sections[-1].refused = True
        elif word == "case":
            sections[-1].cases.append(rest)
    return ({name: ",".join(value) if isinstance(value, list) else value
             for name, value in queues.items()}, groups, sections)


def configure(cluster, properties: dict):
    """What `yarn rmadmin -refreshQueues` says to these."""
    write_xml(pathlib.Path(cluster.folder) / "conf" / "rm" / "capacity-scheduler.xml", properties)
    return cluster.clients.yarn("rmadmin", "-refreshQueues")


def wrong_answers(cluster, queues: dict, sections: list, against: str) -> list:
    wrong = []
    for section in sections:
        cases = [case for case in section.cases
                 if against == "java" or not case.endswith(("(groups)", "(create)"))]
        properties = {**queues, **section.settings}
        if section.json:
            properties[CAPACITY + "mapping-rule-json"] = "\n".join(section.json)
        if not cases and not section.refused:
            continue
        refreshed = configure(cluster, properties)
        if (refreshed.code != 0) != section.refused:
            wrong.append(f"{section.title}: refreshQueues: {refreshed}")
            continue
        for case in cases:
            question, _, expected = case.partition(" => ")
            answer = submit(cluster, *question.split())
            if answer != expected.split()[0]:
                wrong.append(f"{section.title}: {case}: {answer}")
    return wrong


def test_submissions_go_where_hadoops_rules_put_them(new_cluster, against):
    """All sections on real Hadoop; on ours, whose rules unit tests ask all of it, those that make
    the way through the daemon plain."""
    queues, groups, sections = read_scenario()
    static = ";".join(f"{user}={','.join(names)}" for user, names in groups.items())
    cluster = new_cluster(nodes=(), history=False, yarn={
        "hadoop.user.group.static.mapping.overrides": static + ";eve=nobody"})
    if against != "java":
        sections = [section for section in sections if section.title in (
            "[users and groups, as written before JSON]", "[rules win over the queue that is named]",
            "[JSON: users and applications]", "[a target that is not there]", "[JSON: half a text]")]
        assert len(sections) == 5
    wrong = wrong_answers(cluster, queues, sections, against)
    assert not wrong, "\n".join(wrong)


def test_a_rule_places_a_real_client_by_its_applications_name_and_another_by_its_user(new_cluster):
    rules = [{"type": "application", "matches": "etl", "policy": "custom",
              "customPlacement": "root.alpha"},
             {"type": "user", "matches": "ann", "policy": "custom", "customPlacement": "beta"},
             {"type": "user", "matches": "eve", "policy": "reject"}]
    cluster = new_cluster(history=False, queues={
        "mapping-rule-format": "json",
        "mapping-rule-json": json.dumps({"rules": rules})})
    answer = cluster.clients.distributed_shell(
        "-appname", "etl", "-shell_command", "true", "-num_containers", 1,
        "-container_memory", 256, "-master_memory", 512).ok()
    app = cluster.app(answer.application())
    assert (app["queue"], app["finalStatus"]) == ("root.alpha", "SUCCEEDED")
    assert submit(cluster, "ann", "default", "job") == "root.beta"
    cluster.clients.env["HADOOP_USER_NAME"] = "eve"
    refused = cluster.clients.distributed_shell("-shell_command", "true", "-master_memory", 512)
    assert refused.code != 0 and REJECTED in refused.out + refused.err, str(refused)
