"""Reservations by Hadoop's own client and by REST: what a real ResourceManager answers is compared
with ours; and what a job sees that runs in one."""
import json
import pathlib
import re
import time
import urllib.error
import urllib.request

import pytest

import golden
import hadoop
from cluster import wait_until

pytestmark = pytest.mark.reservations
CALLS = pathlib.Path(__file__).resolve().parent / "ReservationCalls.java"
PLAN = "alpha"
YARN = {"yarn.resourcemanager.reservation-system.enable": "true",
        "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms": "500"}
QUEUES = {"root.alpha.reservable": "true", "root.alpha.user-limit-factor": "10",
          "root.alpha.maximum-am-resource-percent": "1",
          # Hadoop's default agent spreads what it places, ours begins as early as it can.
          "root.alpha.reservation-agent": "org.apache.hadoop.yarn.server.resourcemanager."
                                          "reservation.planning.GreedyReservationAgent"}
# What ours says beyond Hadoop's words.
MORE = re.compile(r": there is not enough room between \S+ and \S+|; the form is reservation_.*")


@pytest.fixture(scope="module")
def reserving(pytestconfig):
    from conftest import living
    yield from living(pytestconfig, history=False, yarn=YARN, queues=QUEUES, node_memory_mb=8192)


@pytest.fixture
def as_on_hadoop(pytestconfig):
    def compare(name, lines):
        golden.check(name, lines, pytestconfig.getoption("--update-golden"))
    return compare


def timeless(text: str, start: int) -> str:
    """Times as seconds from `start`, and ids without the start of the ResourceManager."""
    text = re.sub(r"reservation_\d{13}_", "reservation_<start>_", text)

    def shown(match):
        value = int(match.group())
        return f"T{(value - start) / 1000:+g}" if abs(value - start) < 10**8 else match.group()
    return MORE.sub("", re.sub(r"(?<!\d)\d{13}(?!\d)", shown, text))


def call(cluster, path: str, body=None, accept: str = "application/json"):
    """Status and text of an answer below /ws/v1/cluster/reservation/."""
    request = urllib.request.Request(
        f"http://localhost:{cluster.port['web']}/ws/v1/cluster/reservation/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method="GET" if body is None else "POST",
        headers={"Content-Type": "application/json", "Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return f"{answer.status} {answer.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


def definition(start: int, **changes) -> dict:
    return {"arrival": start, "deadline": start + 600_000, "reservation-name": "by-rest",
            "reservation-requests": {"reservation-request-interpreter": 1, "reservation-request": [
                {"capability": {"memory": 512, "vCores": 1}, "min-concurrency": 1,
                 "num-containers": 2, "duration": 60_000}]}, **changes}


def plan_queue(cluster) -> dict:
    queues = cluster.get("scheduler")["scheduler"]["schedulerInfo"]["queues"]["queue"]
    return next(queue for queue in queues if queue["queueName"] == PLAN)


def plan_children(cluster) -> list:
    return [queue["queueName"] for queue in plan_queue(cluster)["queues"]["queue"]]


def new_id(cluster) -> str:
    return json.loads(call(cluster, "new-reservation", {}).split(" ", 1)[1])["reservation-id"]


def test_the_client_of_hadoop_gets_hadoops_answers(reserving, as_on_hadoop):
    def has_room():
        partition = plan_queue(reserving)["capacities"]["queueCapacitiesByPartition"][0]
        return partition["effectiveMinResource"]["memory"]
    wait_until("the plan has room", has_room, 30)
    command = [*hadoop.java_command(reserving.conf, str(CALLS), PLAN, int(time.time() * 1000))]
    answer = reserving.clients.start(command, "ReservationCalls").wait(120).ok()
    start = int(re.match(r"start (\d+)", answer.out).group(1))
    lines = golden.normalised(timeless(answer.out, start), reserving.folder)
    as_on_hadoop("reservations-client", [line for line in lines if not line.startswith("start ")])


def rest_answers(cluster, start: int) -> list:
    said = []

    def say(what, answer):
        said.append(f"{what} => {answer}")
    mine = new_id(cluster)
    say("submit", call(cluster, "submit", {"queue": PLAN, "reservation-id": mine,
                                           "reservation-definition": definition(start)}))
    for what, body in {
            "no definition": {"queue": PLAN, "reservation-id": mine},
            "no requests": {"queue": PLAN, "reservation-id": mine,
                            "reservation-definition": {"arrival": start, "deadline": start + 1}},
            "no id": {"queue": PLAN, "reservation-definition": definition(start)},
            "unknown queue": {"queue": "nosuch", "reservation-id": mine,
                              "reservation-definition": definition(start)},
            "in the past": {"queue": PLAN, "reservation-id": mine,
                            "reservation-definition": definition(start, deadline=1)}}.items():
        say(what, call(cluster, "submit", body))
    listed = f"list?queue={PLAN}&reservation-id={mine}&include-resource-allocations="
    say("list", call(cluster, listed + "false"))
    say("list with allocations", call(cluster, listed + "true"))
    say("list as XML", call(cluster, listed + "true", accept="application/xml"))
    say("update", call(cluster, "update", {
        "reservation-id": mine, "reservation-definition": definition(
            start, **{"recurrence-expression": "86400000"})}))
    say("list updated", call(cluster, listed + "false"))
    say("update without id", call(cluster, "update", {
        "reservation-definition": definition(start)}))
    say("list of an unknown queue", call(cluster, "list?queue=nosuch"))
    say("delete", call(cluster, "delete", {"reservation-id": mine}))
    say("list deleted", call(cluster, listed + "false"))
    return said


def test_rest_gives_hadoops_answers(reserving, as_on_hadoop):
    start = (int(time.time()) // 60 + 90) * 60_000
    lines = [timeless(line, start) for line in rest_answers(reserving, start)]
    lines = [re.sub(r"(acceptance-time\D{1,3})T[-+.\d]+", r"\1<time>", line) for line in lines]
    as_on_hadoop("reservations-rest", golden.normalised("\n".join(lines), reserving.folder))


@pytest.mark.heddle
def test_a_job_runs_in_its_reservation(reserving):
    mine = new_id(reserving)
    now = int(time.time() * 1000)
    body = {"queue": PLAN, "reservation-id": mine, "reservation-definition": definition(
        now, **{"reservation-requests": {
            "reservation-request-interpreter": 1, "reservation-request": [
                {"capability": {"memory": 1024, "vCores": 1}, "min-concurrency": 1,
                 "num-containers": 2, "duration": 300_000}]}})}
    assert call(reserving, "submit", body).startswith("202"), call(reserving, "submit", body)
    wait_until("the queue is there", lambda: mine in plan_children(reserving), 30)
    answer = reserving.clients.start_sleep_job(
        f"-Dmapreduce.job.queuename=root.{PLAN}", f"-Dmapreduce.job.reservation.id={mine}",
        map_ms=100).wait(180).ok()
    app = reserving.app(answer.application() if "application_" in answer.out + answer.err
                        else re.search(r"job_\d+_\d+", answer.err).group()
                        .replace("job", "application"))
    assert app["finalStatus"] == "SUCCEEDED", app
    assert call(reserving, "delete", {"reservation-id": mine}).startswith("200")
    wait_until("the queue is gone", lambda: mine not in plan_children(reserving), 30)
