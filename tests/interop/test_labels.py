"""Node labels and attributes: the commands, and work that goes where its label is.

What commands print is compared with what they print on real Hadoop (golden.py). The tests stand in
the order in which they build on each other.
"""
import pytest

import conftest
import golden
from cluster import wait_until
from test_nodes import node_names_by_id

pytestmark = pytest.mark.labels
ON = {"yarn.node-labels.enabled": "true",
      "yarn.resourcemanager.placement-constraints.handler": "scheduler"}
QUEUES = {"root.accessible-node-labels": "*",
          "root.accessible-node-labels.gpu.capacity": 100,
          "root.accessible-node-labels.gpu.maximum-am-resource-percent": 0.9,
          "root.alpha.accessible-node-labels": "gpu",
          "root.alpha.accessible-node-labels.gpu.capacity": 100,
          "root.alpha.accessible-node-labels.gpu.maximum-am-resource-percent": 0.9,
          "root.alpha.default-node-label-expression": "gpu"}


@pytest.fixture(scope="module")
def labelled(pytestconfig, tmp_path_factory):
    """Two nodes of one host; queue alpha may use the label gpu, and uses it by default. A script
    knows their rack."""
    stores = tmp_path_factory.mktemp("stores")  # Java's
    racks = stores / "racks.sh"
    racks.write_text('#!/bin/sh\nfor address in "$@"; do echo "/site/rack-$address"; done\n')
    racks.chmod(0o755)
    against = pytestconfig.getoption("--against")
    yield from conftest.living(
        pytestconfig, nodes=(against,) * 2, history=False, queues=QUEUES,
        yarn={**ON, "yarn.node-labels.fs-store.root-dir": f"file://{stores}/labels",
              "yarn.node-attribute.fs-store.root-dir": f"file://{stores}/attributes",
              "net.topology.script.file.name": racks})


@pytest.fixture
def recorded(pytestconfig, labelled):
    def compare(name, answer):
        lines = golden.transcript(answer, labelled.folder)
        golden.check(f"labels-{name}", lines, pytestconfig.getoption("--update-golden"))
    return compare


def node_ids(cluster) -> list:
    return sorted(node["id"] for node in cluster.wait_for_nodes(len(cluster.node_names())))


def rmadmin(cluster, *args):
    return cluster.clients.yarn("rmadmin", *args)


def run_tagged(cluster, spec, *args):
    """Where the containers of a distributed shell with constraints ran, and what it said."""
    marks = cluster.folder / f"marks-{len(cluster.clients.started)}"
    marks.mkdir()
    answer = cluster.clients.distributed_shell(
        "-shell_command", f"pwd | tee {marks}/$CONTAINER_ID", "-container_memory", 256,
        "-master_memory", 512, "-placement_spec", spec, *args).ok()
    places = [mark.read_text().strip() for mark in marks.iterdir()]
    return sorted(place.removeprefix(f"{cluster.folder}/").split("/")[0] for place in places), answer


APART = "a(1),NOTIN,NODE,b:b(1),NOTIN,NODE,a:c(2),"  # a and b on two nodes; c is to join b


def test_containers_keep_apart_and_follow_others(labelled):
    names, answer = run_tagged(labelled, APART + "AND(IN,NODE,b:NOTIN,NODE,a)")
    assert sorted(map(names.count, set(names))) == [1, 3], f"{names}\n{answer}"


def test_a_constraint_joins_tags_and_attributes(labelled):
    labelled.clients.yarn("nodeattributes", "-add", "localhost:disk=ssd").ok()
    try:
        names, answer = run_tagged(labelled, APART + "AND(IN,NODE,b:rm.yarn.io/disk=ssd)")
    finally:
        labelled.clients.yarn("nodeattributes", "-remove", "localhost:disk").ok()
    assert sorted(map(names.count, set(names))) == [1, 3], f"{names}\n{answer}"


def test_labels_are_added_and_listed(labelled, recorded):
    recorded("add", rmadmin(labelled, "-addToClusterNodeLabels",
                            "gpu(exclusive=true),big(exclusive=false)"))
    recorded("list", labelled.clients.yarn("cluster", "-lnl"))


@pytest.mark.parametrize("name, args", [
    ("bad-name", ("-addToClusterNodeLabels", "-x")),
    ("exclusivity", ("-addToClusterNodeLabels", "gpu(exclusive=false)")),
    ("remove-unknown", ("-removeFromClusterNodeLabels", "nosuch")),
    ("remove-used", ("-removeFromClusterNodeLabels", "gpu")),
    ("replace-unknown", ("-replaceLabelsOnNode", "localhost=nosuch")),
    ("replace-unknown-node", ("-replaceLabelsOnNode", "nohost:1=gpu", "-failOnUnknownNodes"))])
def test_what_may_not_be_is_refused_in_the_same_words(labelled, recorded, name, args):
    recorded(name, rmadmin(labelled, *args))


def test_a_node_gets_a_label(labelled, recorded):
    node = node_ids(labelled)[1]
    recorded("replace", rmadmin(labelled, "-replaceLabelsOnNode", f"{node}=gpu"))
    wait_until("the node shows it", lambda: labelled.get(f"nodes/{node}")["node"].get("nodeLabels"),
               10)
    recorded("node-status", labelled.clients.yarn("node", "-status", node))
    recorded("queue-status", labelled.clients.yarn("queue", "-status", "alpha"))


def test_rest_shows_labels_in_the_same_form(labelled):
    node = node_ids(labelled)[1]
    assert labelled.get("get-node-to-labels") == {"nodeToLabels": {"entry": {
        "key": node, "value": {"nodeLabelInfo": {"name": "gpu", "exclusivity": "true"}}}}}
    assert labelled.get(f"nodes/{node}/get-labels") == {
        "nodeLabelInfo": {"name": "gpu", "exclusivity": "true"}}
    mapping = labelled.get("label-mappings")["labelsToNodes"]["entry"]
    assert (mapping["key"]["name"], mapping["value"]["nodes"]) == ("gpu", node)
    assert mapping["value"]["partitionInfo"]["resourceAvailable"]["memory"] == "4096"
    names = [label["name"] for label in labelled.get("get-node-labels")["nodeLabelInfo"]]
    assert names == ["big", "gpu"]
    queues = labelled.get("scheduler")["scheduler"]["schedulerInfo"]["queues"]["queue"]
    alpha = next(queue for queue in queues if queue["queueName"] == "alpha")
    assert (alpha["nodeLabels"], alpha["defaultNodeLabelExpression"]) == (["gpu"], "gpu")
    parts = {part["partitionName"]: part
             for part in alpha["capacities"]["queueCapacitiesByPartition"]}
    assert set(parts) == {"", "gpu"}
    assert parts["gpu"]["effectiveMinResource"]["memory"] == 4096


def run_where(cluster, *args):
    """Distributed shell that notes where its containers run: (application, daemons)."""
    marks = cluster.folder / f"marks-{len(cluster.clients.started)}"
    marks.mkdir()
    answer = cluster.clients.distributed_shell(
        "-shell_command", f"pwd | tee {marks}/$CONTAINER_ID", "-num_containers", 2,
        "-container_memory", 256, "-master_memory", 512, *args).ok()
    places = [mark.read_text().strip() for mark in marks.iterdir()]
    names = {place.removeprefix(f"{cluster.folder}/").split("/")[0] for place in places}
    assert len(places) == 2, str(answer)
    return cluster.app(answer.application()), names


def test_an_application_runs_where_its_label_is(labelled):
    plain, gpu = node_ids(labelled)
    app, names = run_where(labelled, "-queue", "alpha", "-node_label_expression", "gpu")
    assert names == {node_names_by_id(labelled)[gpu]}
    assert app["masterNodeId"] == gpu
    assert (app["appNodeLabelExpression"], app["amNodeLabelExpression"]) == ("gpu", "gpu")
    app, names = run_where(labelled, "-queue", "default")
    assert names == {node_names_by_id(labelled)[plain]}, "an exclusive label keeps others out"
    assert app["masterNodeId"] == plain


def test_a_label_that_may_not_be_used_is_refused(labelled):
    answer = labelled.clients.distributed_shell(
        "-shell_command", "true", "-queue", "alpha", "-node_label_expression", "big")
    assert answer.code != 0
    said = answer.out + answer.err
    assert "InvalidLabelResourceRequestException" in said, str(answer)
    assert "Invalid resource request, queue=alpha doesn't have permission to access all labels" \
           " in resource request. labelExpression of resource request=big" in said


@pytest.mark.parametrize("name, command, args", [
    ("attributes-add", "nodeattributes", ("-add", "localhost:os(string)=debian,disk=ssd")),
    ("attributes-to-nodes", "nodeattributes", ("-attributestonodes",)),
    # After a replacement real Hadoop lists the attribute with no node any more.
    ("attributes-replace", "nodeattributes", ("-replace", "localhost:os=bsd")),
    ("attributes-list", "nodeattributes", ("-list",)),
    ("attributes-of-nodes", "nodeattributes", ("-nodestoattributes",)),
    ("attributes-unknown-node", "nodeattributes", ("-add", "nohost:os=x", "-failOnUnknownNodes")),
    ("attributes-remove-unknown", "nodeattributes", ("-remove", "localhost:nosuch")),
    ("attributes-of-the-cluster", "cluster", ("-lna",)),
    ("attributes-remove", "nodeattributes", ("-remove", "localhost:os"))])
def test_attributes_are_given_and_listed(labelled, recorded, name, command, args):
    recorded(name, labelled.clients.yarn(command, *args))


def test_labels_outlive_the_resource_manager(labelled, against):
    if against == "java":
        pytest.skip("Java's store is Java's business")
    before = labelled.get("get-node-to-labels")
    labelled.daemons.pop("rm").kill()
    labelled.start_rm()
    labelled.wait_for_nodes(2)
    assert labelled.get("get-node-to-labels") == before
    assert len(labelled.get("get-node-labels")["nodeLabelInfo"]) == 2


@pytest.mark.mixed
@pytest.mark.parametrize("kind", ["heddle", "java"])
def test_a_node_tells_its_own_label_and_attributes(new_cluster, kind):
    nm = "yarn.nodemanager."
    cluster = new_cluster(rm="heddle", nodes=(kind,), history=False, queues=QUEUES, yarn={
        **ON, "yarn.node-labels.configuration-type": "distributed",
        nm + "node-labels.provider": "config",
        nm + "node-labels.provider.configured-node-partition": "gpu",
        nm + "node-labels.resync-interval-ms": 500,
        nm + "node-attributes.provider": "config",
        nm + "node-attributes.provider.configured-node-attributes": "os,STRING,debian"})
    node = node_ids(cluster)[0]
    assert "nodeLabels" not in cluster.get(f"nodes/{node}")["node"], "the label is not there yet"
    rmadmin(cluster, "-addToClusterNodeLabels", "gpu").ok()
    found = wait_until("the node has the label it tells",
                       lambda: cluster.get(f"nodes/{node}")["node"].get("nodeLabels"), 30)
    assert found == ["gpu"]
    told = cluster.get(f"nodes/{node}")["node"]["nodeAttributesInfo"]["nodeAttributeInfo"]
    assert told == [{"prefix": "nm.yarn.io", "name": "os", "type": "STRING", "value": "debian"}]
    refused = rmadmin(cluster, "-replaceLabelsOnNode", f"{node}=gpu")
    assert "centralized node label configuration is not enabled" in refused.err
    cluster.check_alive()
