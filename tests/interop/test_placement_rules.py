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
                 if against == "java" or not case.endswith("(groups)")]
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


def queues_by_path(info: dict, found: dict) -> dict:
    for queue in info.get("queues", {}).get("queue", []):
        found[queue["queuePath"]] = queue
        queues_by_path(queue, found)
    return found


def all_queues_with(cluster, path: str) -> dict | None:
    queues = queues_by_path(cluster.get("scheduler")["scheduler"]["schedulerInfo"], {})
    return queues if path in queues else None


def assert_shown(queue: dict, **expected):
    assert {name: queue[name] for name in expected} == expected


MAKING = {
    "root.queues": "default,alpha,users,m", "root.default.capacity": "1w",
    "root.alpha.capacity": "1w", "root.users.capacity": "2w", "root.m.capacity": "4w",
    "root.users.auto-queue-creation-v2.enabled": "true",
    "root.users.auto-queue-creation-v2.template.maximum-applications": "77",
    "root.users.auto-queue-creation-v2.leaf-template.capacity": "3w",
    "root.*.auto-queue-creation-v2.template.maximum-applications": "99",
    "root.*.auto-queue-creation-v2.template.maximum-capacity": "50",
    "root.m.auto-create-child-queue.enabled": "true",
    "root.m.leaf-queue-template.capacity": "60",
    "root.m.leaf-queue-template.maximum-capacity": "90",
    "root.alpha.acl_application_max_priority": "[user=bob max_priority=2 default_priority=1]"}


def test_queues_come_with_the_application_that_needs_them(new_cluster):
    """The numbers are those of real Hadoop (--against java)."""
    cluster = new_cluster(history=False, queues=MAKING, yarn={
        "yarn.acl.enable": "true", "yarn.cluster.max-application-priority": "10"})
    # The client of the distributed shell looks whether its queue is there.
    assert submit(cluster, "ann", "root.users.ann", "pi") == "root.users.ann"
    answer = cluster.clients.distributed_shell(
        "-queue", "root.users.ann", "-shell_command", "true", "-num_containers", 1,
        "-container_memory", 256, "-master_memory", 512).ok()
    app = cluster.app(answer.application())
    assert (app["queue"], app["finalStatus"]) == ("root.users.ann", "SUCCEEDED")
    assert submit(cluster, "x", "root.m.direct", "pi") == "failed"
    assert submit(cluster, "x", "root.users.a.b.c", "pi") == "failed"
    status, answer = call(cluster, "POST", "apps/new-application", "bob")
    status, answer = call(cluster, "POST", "apps", "bob", {
        "application-id": answer["application-id"], "application-name": "pi", "queue": "alpha",
        "priority": 3, "am-container-spec": {"commands": {"command": "true"}},
        "resource": {"memory": 256, "vCores": 1}})
    assert status in (400, 403), answer
    assert "does not have permission to submit/update" in answer["RemoteException"]["message"]
    refreshed = configure(cluster, {CAPACITY + name: value for name, value in {
        **MAKING, "queue-mappings": "u:%user:root.m.%user"}.items()})
    assert refreshed.code == 0, refreshed
    assert submit(cluster, "eve", "default", "pi") == "root.m.eve"
    queues = wait_until("the new queue is shown", lambda: all_queues_with(cluster, "root.m.eve"), 20)
    assert_shown(queues["root.users.ann"], capacity=0.0, maxCapacity=50.0, absoluteCapacity=25.0,
                 weight=3.0, normalizedWeight=1.0, maxApplications=77, userLimitFactor=-1.0,
                 configuredMaxAMResourceLimit=1.0, mode="weight", queueType="leaf",
                 creationMethod="dynamicFlexible", autoCreationEligibility="off",
                 isAutoCreatedLeafQueue=False)
    assert_shown(queues["root.users"], capacity=0.0, queueType="parent", creationMethod="static",
                 autoCreationEligibility="flexible", autoCreateChildQueueEnabled=False,
                 autoQueueLeafTemplateProperties={
                     "property": [{"name": "capacity", "value": "3w"}]})
    assert_shown(queues["root.m"], autoCreationEligibility="legacy",
                 autoCreateChildQueueEnabled=True)
    assert_shown(queues["root.m.eve"], maxCapacity=90.0, weight=-1.0, mode="percentage",
                 creationMethod="dynamicLegacy", isAutoCreatedLeafQueue=True)
    shown = cluster.clients.yarn("queue", "-status", "root.users.ann").ok()
    assert "Queue Name : ann" in shown.out, shown.out


def test_capacities_of_several_kinds_are_those_of_hadoop(new_cluster):
    cluster = new_cluster(history=False, queues={
        "legacy-queue-mode.enabled": "false",
        "resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
        "root.queues": "default,alpha,c,d", "root.default.capacity": "[memory=1024,vcores=2]",
        "root.alpha.capacity": "50", "root.c.capacity": "[memory=3w,vcores=50%]",
        "root.d.capacity": "1w", "root.d.maximum-capacity": "[memory=50%,vcores=3]"})
    wait_until("the node counts", lambda: cluster.get("metrics")["clusterMetrics"]["totalMB"], 30)
    queues = queues_by_path(cluster.get("scheduler")["scheduler"]["schedulerInfo"], {})

    def shown(path: str) -> tuple:
        queue = queues[path]
        capacities = queue["capacities"]["queueCapacitiesByPartition"][0]
        return (queue["mode"], queue["capacity"], queue["weight"], queue["normalizedWeight"],
                queue["isAbsoluteResource"],
                capacities["queueCapacityVectorInfo"]["configuredCapacityVector"],
                *[capacities[name][kind] for name in
                  ("effectiveMinResource", "effectiveMaxResource") for kind in
                  ("memory", "vCores")])

    assert shown("root.default") == ("absolute", 25.0, -1.0, 0.0, True,
                                     "[memory-mb=1024.0,vcores=2.0]", 1024, 2, 4096, 8)
    assert shown("root.alpha") == ("percentage", 37.5, -1.0, 0.0, False,
                                   "[memory-mb=50.0%,vcores=50.0%]", 1536, 3, 4096, 8)
    assert shown("root.c") == ("mixed", 37.5, -1.0, 0.0, False,
                               "[memory-mb=3.0w,vcores=50.0%]", 1152, 3, 4096, 8)
    assert shown("root.d") == ("weight", 9.375, 1.0, 0.0, False,
                               "[memory-mb=1.0w,vcores=1.0w]", 384, 0, 2048, 3)
