"""The web pages as somebody with a browser meets them."""
import json
import os
import pathlib
import urllib.parse
import urllib.request

import pytest

from browser import Browser
from cluster import wait_until

pytestmark = pytest.mark.browser
NAME = "<script>document.title='run'</script> <b>loom</b> & \"co\""
PAGES = ("/cluster", "/cluster/apps", "/cluster/apps/RUNNING", "/cluster/nodes",
         "/cluster/scheduler", "/conf", "/logs/", "/logLevel")
SHELL = {"application-type": "YARN", "max-app-attempts": 1,
         "resource": {"memory": 1024, "vCores": 1}}


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


def submit(cluster, name: str, command: str) -> str:
    """Starts a program that is no real ApplicationMaster: it stays ACCEPTED while it runs."""
    base = f"http://localhost:{cluster.port['web']}/ws/v1/cluster/apps"
    user = "?user.name=" + os.environ.get("USER", "root")
    application = json.load(post(base + "/new-application" + user, b""))["application-id"]
    body = {"application-id": application, "application-name": name, **SHELL,
            "am-container-spec": {"commands": {"command": command}}}
    post(base + user, json.dumps(body).encode()).close()
    return application


def post(url: str, body: bytes):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=20)


@pytest.fixture(scope="module")
def running(shared_cluster):
    """An application with a name that is markup, and a line in a log."""
    application = submit(shared_cluster, NAME, "echo 'a <b>line' ><LOG_DIR>/stdout; exec sleep 600")
    wait_until("its AM runs", lambda: shared_cluster.app(application).get("amContainerLogs"), 30)
    yield application
    shared_cluster.clients.yarn("application", "-kill", application)


@pytest.fixture(scope="module")
def finished(shared_cluster):
    """The id of a job that has finished: one of an earlier test, or of this one."""
    done = [app["id"] for app in shared_cluster.apps()
            if app["finalStatus"] == "SUCCEEDED" and app["name"] == "QuasiMonteCarlo"]
    return done[0] if done else shared_cluster.clients.example("pi", 1, 10).ok().application()


@pytest.fixture
def visit(browser, cluster):
    """Opens a page of the ResourceManager, and complains of what the browser complains of."""
    tabs = []

    def open_page(path, width=1280, height=900):
        tabs.append(browser.tab(width, height))
        return tabs[-1].open(urllib.parse.urljoin(f"http://localhost:{cluster.port['web']}", path))

    yield open_page
    for tab in tabs:
        keep_picture(tab)
        assert tab.complaints() == []
        assert [url for url in tab.requests() if not is_loopback(url)] == []
        tab.close()


def is_loopback(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "data" or parts.hostname in ("localhost", "127.0.0.1")


def keep_picture(tab) -> None:
    """With HEDDLE_PAGES set to a folder, what was seen is kept there."""
    if folder := os.environ.get("HEDDLE_PAGES"):
        name = urllib.parse.urlsplit(tab.address()).path.strip("/").replace("/", "_")
        tab.screenshot(pathlib.Path(folder) / f"{name[-60:]}-{tab.width}.png")


def test_the_first_page_shows_applications_queues_and_nodes(visit, cluster, running, finished):
    text = visit("/cluster").text()
    for application in (running, finished):
        assert application in text
    assert "RUNNING" in text or "ACCEPTED" in text
    assert "SUCCEEDED" in text and "QuasiMonteCarlo" in text
    for queue in ("root.default", "root.alpha", "root.beta"):
        assert queue in text
    for node in cluster.wait_for_nodes(1):
        assert node["id"] in text


def test_a_name_that_is_markup_is_shown_as_text(visit, running):
    for path in ("/cluster", "/cluster/apps", f"/cluster/app/{running}"):
        tab = visit(path)
        assert NAME in tab.text(), path
        assert tab.evaluate("document.querySelectorAll('script, main b').length") == 0
        assert tab.evaluate("document.title") != "run"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_without_complaints(visit, running, path):
    assert len(visit(path).text()) > 20


@pytest.mark.parametrize("path", [path for path in PAGES if path.startswith("/cluster")])
def test_a_narrow_window_needs_no_scrolling_to_the_side(visit, running, path):
    tab = visit(path, width=400)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_pages_of_applications_fit_a_narrow_window(visit, running, finished):
    for application in (running, finished):
        tab = visit(f"/cluster/app/{application}", width=400)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 400, application


def test_the_page_of_a_running_application_leads_to_its_logs(visit, running):
    tab = visit("/cluster")
    tab.open(tab.links(f"/cluster/app/{running}")[0])
    assert running in tab.text() and "ACCEPTED" in tab.text()
    tab.open(tab.links("/node/containerlogs/")[0])
    assert "stdout" in tab.text()
    tab.open(tab.links("/stdout")[0])
    assert "a <b>line" in tab.text()


def test_the_page_of_a_finished_application_says_how_it_ended(visit, finished):
    text = visit(f"/cluster/app/{finished}").text()
    assert "SUCCEEDED" in text and "root.default" in text
    assert f"appattempt_{finished.removeprefix('application_')}_000001" in text


def test_an_unknown_application_is_named(browser, cluster):
    page = f"http://localhost:{cluster.port['web']}/cluster/app/application_1_0001"
    tab = browser.tab().open(page)
    assert "There is no application application_1_0001" in tab.text()
    tab.close()


def test_the_lists_by_state_hold_what_they_say(visit, running, finished):
    assert running in visit("/cluster/apps/ACCEPTED").text()
    text = visit("/cluster/apps/FINISHED").text()
    assert finished in text and running not in text


def test_every_link_of_the_first_page_works(visit, running):
    tab = visit("/cluster")
    for link in sorted(set(tab.links())):
        if is_loopback(link):
            with urllib.request.urlopen(link, timeout=20) as answer:
                assert answer.status == 200, link


def test_the_first_page_is_small(visit, running):
    tab = visit("/cluster")
    size = tab.evaluate("performance.getEntries().reduce((n, e) => n + (e.transferSize || 0), 0)")
    assert 0 < size < 100_000
