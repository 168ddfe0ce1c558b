"""Fixtures: the shared cluster, clusters of one test, and their logs when a test fails."""
import contextlib
import pathlib
import signal

import pytest

import golden
from cluster import Cluster

# The cheapest first: what they find need not be found by the others.
ORDER = ["test_harness", "test_daemons", "test_load", "test_sim", "test_cli", "test_queue_config",
         "test_reservations", "test_scenarios",
         "test_placement_rules", "test_heddle", "test_browser", "test_labels", "test_mapreduce",
         "test_dshell", "test_updates", "test_preemption", "test_spark", "test_mixed", "test_nodes",
         "test_shuffle_restart", "test_hdfs"]
OURS = ("mixed", "daemons", "browser", "heddle", "harness")  # about our daemons
LIVING = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption("--against", choices=("heddle", "java"), default="heddle",
                     help="whose ResourceManager and NodeManagers the tests run on")
    parser.addoption("--update-golden", action="store_true",
                     help="with --against java: writes the recorded answers in golden/ anew")


def pytest_configure(config):
    # Ended from outside, the daemons end too.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))
    config.stash[LIVING] = []
    if config.getoption("--update-golden") and config.getoption("--against") != "java":
        raise pytest.UsageError("--update-golden needs --against java: only the real thing counts")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: ORDER.index(pathlib.Path(item.path).stem))
    if config.getoption("--against") == "java":  # what is about ours tells nothing there
        ours = [item for item in items if any(map(item.get_closest_marker, OURS))]
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when != "teardown":
        for cluster in item.config.stash[LIVING]:
            report.sections.append((f"daemons of {cluster.folder}", cluster.logs()))


def living(config, **arguments):
    """A started cluster that is closed after use; kinds not named come from --against."""
    against = config.getoption("--against")
    arguments.setdefault("rm", against)
    arguments.setdefault("nodes", (against,))
    with Cluster(**arguments) as cluster:
        config.stash[LIVING].append(cluster)
        try:
            yield cluster
        finally:  # also when the generator is closed
            config.stash[LIVING].remove(cluster)


@pytest.fixture(scope="session")
def shared_cluster(pytestconfig):
    yield from living(pytestconfig)


@pytest.fixture
def cluster(shared_cluster):
    """One RM, one NM, queues default, alpha and beta. A test fails when a daemon died in it."""
    shared_cluster.check_alive()
    yield shared_cluster
    shared_cluster.check_alive()


@pytest.fixture
def new_cluster(pytestconfig):
    """Makes clusters for one test: new_cluster(nodes=(...), rm=...)."""
    with contextlib.ExitStack() as opened:  # closes them all, whatever one of them complains of
        yield lambda **arguments: opened.enter_context(
            contextlib.contextmanager(living)(pytestconfig, **arguments))


@pytest.fixture
def against(pytestconfig):
    return pytestconfig.getoption("--against")


@pytest.fixture
def as_recorded(pytestconfig, shared_cluster):
    """Compares an answer of a client with the one recorded from real Hadoop (golden/<name>.txt)."""
    def compare(name, answer, sort=False):
        lines = golden.transcript(answer, shared_cluster.folder, sort)
        golden.check(name, lines, pytestconfig.getoption("--update-golden"))

    return compare
