#include "compat/records/ids.h"
#include "tests/testlib/partitions.h"
#include "tests/unit/compat_yarn/services.h"

namespace heddle::compat::yarn {
namespace {

using testlib::call;
using testlib::call_bytes;

class ClientService : public Services {
 protected:
  ServicePtr service_ = make_client_service(context_);

  rm::AppReport fresh_report() {
    rm::AppReport app;
    app.id = {1795310003435, 6};
    app.user = "alice";
    app.queue = "root.default";
    app.name = "word count";
    app.type = "MAPREDUCE";
    app.state = rm::AppState::kNewSaving;
    app.started = {1795310203496};
    return app;
  }
  void know(rm::AppReport app) {
    rm_.reports.app_list = {std::make_shared<const rm::AppReport>(std::move(app))};
  }
  pb::ApplicationReportProto report() {
    pb::GetApplicationReportRequestProto request;
    compat::to_wire(AppId{1795310003435, 6}, request.mutable_application_id());
    return parsed<pb::GetApplicationReportResponseProto>(
               call(*service_, "getApplicationReport", request, alice_))
        .application_report();
  }
};

TEST_F(ClientService, NewApplicationIsTheRecordedAnswer) {
  const auto answer = call_bytes(*service_, "getNewApplication", "", alice_);
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kNewApplicationAnswer);
}

TEST_F(ClientService, ReportOfAFreshApplicationIsTheRecordedAnswer) {
  know(fresh_report());
  pb::GetApplicationReportRequestProto request;
  compat::to_wire(AppId{1795310003435, 6}, request.mutable_application_id());
  const auto answer = call(*service_, "getApplicationReport", request, alice_);
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kReportAnswer);
}

TEST_F(ClientService, LabelsAreShownAsGivenNotGivenOrTheDefaultPartition) {
  rm::AppReport app = fresh_report();
  know(app);
  EXPECT_EQ(report().appnodelabelexpression(), "<Not set>");
  EXPECT_EQ(report().amnodelabelexpression(), "<DEFAULT_PARTITION>");
  app.label_expression = "";
  app.master_label_expression = "gpu";
  know(app);
  EXPECT_EQ(report().appnodelabelexpression(), "<DEFAULT_PARTITION>");
  EXPECT_EQ(report().amnodelabelexpression(), "gpu");
  app.unmanaged = true;
  know(app);
  EXPECT_FALSE(report().has_amnodelabelexpression());
}

TEST_F(ClientService, RecordedSubmissionReachesTheDoor) {
  const auto answer =
      call_bytes(*service_, "submitApplication", recorded::bytes(recorded::kSubmitRequest), alice_);
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.bytes, "");
  ASSERT_EQ(rm_.applications.submissions.size(), 1U);
  const rm::Submission& submission = rm_.applications.submissions[0];
  EXPECT_EQ(rm_.applications.callers[0].user, "alice");
  EXPECT_EQ(to_string(submission.id), "application_1795310003435_0006");
  EXPECT_EQ(submission.name, "word count");
  EXPECT_EQ(submission.queue, "default");
  EXPECT_EQ(submission.type, "MAPREDUCE");
  EXPECT_EQ(submission.max_attempts, 2);
  EXPECT_EQ(submission.priority, -1);
  EXPECT_EQ(submission.am_resources, Resources(512, 1));
  ASSERT_EQ(submission.am_asks.size(), 1U);
  pb::ContainerLaunchContextProto launch;
  ASSERT_TRUE(launch.ParseFromString(*submission.launch));
  EXPECT_EQ(launch.localresources_size(), 4);
}

TEST_F(ClientService, UnknownApplicationIsNamedAsHadoopNamesIt) {
  pb::GetApplicationReportRequestProto request;
  compat::to_wire(AppId{1000000000000, 7}, request.mutable_application_id());
  const auto answer = call(*service_, "getApplicationReport", request, alice_);
  EXPECT_EQ(answer.exception_class, java::kAppNotFound);
  EXPECT_EQ(answer.message,
            "Application with id 'application_1000000000000_0007' doesn't exist in RM. Please "
            "check that the job submission was successful.");
}

TEST_F(ClientService, StateBeforeTheFinalSaveIsShown) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kFinalSaving;
  app.state_before_saving = rm::AppState::kRunning;
  know(app);
  EXPECT_EQ(report().yarn_application_state(), pb::RUNNING);
  EXPECT_EQ(report().final_application_status(), pb::APP_UNDEFINED);
}

TEST_F(ClientService, StateBeforeTheKillIsShownUntilItIsDone) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kKilling;
  app.state_before_saving = rm::AppState::kAccepted;
  know(app);
  EXPECT_EQ(report().yarn_application_state(), pb::ACCEPTED);
  EXPECT_EQ(report().final_application_status(), pb::APP_UNDEFINED);
}

TEST_F(ClientService, FinishedWithoutAStatusIsFailed) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kFinished;
  know(app);
  EXPECT_EQ(report().yarn_application_state(), pb::FINISHED);
  EXPECT_EQ(report().final_application_status(), pb::APP_FAILED);
}

TEST_F(ClientService, TrackingUrlGoesThroughTheProxy) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kRunning;
  app.original_tracking_url = "http://host:4040";
  know(app);
  EXPECT_EQ(report().trackingurl(), "http://localhost:41088/proxy/application_1795310003435_0006/");
  EXPECT_EQ(report().originaltrackingurl(), "http://host:4040");
}

TEST_F(ClientService, KilledApplicationIsTrackedOnItsOwnPage) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kKilled;
  know(app);
  EXPECT_EQ(report().trackingurl(),
            "http://localhost:41088/cluster/app/application_1795310003435_0006");
}

TEST_F(ClientService, LifetimeIsATimeAndTheSecondsLeft) {
  rm::AppReport app = fresh_report();
  app.lifetime_expiry = {1795310022105 + 90'500};
  know(app);
  const auto timeout = report().apptimeouts(0).application_timeout();
  EXPECT_EQ(timeout.expire_time(), "2026-11-22T01:15:12.605+0000");
  EXPECT_EQ(timeout.remaining_time(), 90);
}

TEST_F(ClientService, ListingByStateLooksAtTheStateShown) {
  rm::AppReport app = fresh_report();
  app.state = rm::AppState::kFinalSaving;
  app.state_before_saving = rm::AppState::kRunning;
  know(app);
  pb::GetApplicationsRequestProto request;
  request.add_application_states(pb::FINISHED);
  EXPECT_EQ(parsed<pb::GetApplicationsResponseProto>(call(*service_, "getApplications", request))
                .applications_size(),
            0);
  request.add_application_states(pb::RUNNING);
  EXPECT_EQ(parsed<pb::GetApplicationsResponseProto>(call(*service_, "getApplications", request))
                .applications_size(),
            1);
}

TEST_F(ClientService, KillAnswersWhetherItIsDone) {
  pb::KillApplicationRequestProto request;
  compat::to_wire(AppId{1795310003435, 6}, request.mutable_application_id());
  EXPECT_FALSE(parsed<pb::KillApplicationResponseProto>(
                   call(*service_, "forceKillApplication", request, alice_))
                   .is_kill_completed());
  rm_.applications.kill_progress.completed = true;
  EXPECT_TRUE(parsed<pb::KillApplicationResponseProto>(
                  call(*service_, "forceKillApplication", request, alice_))
                  .is_kill_completed());
}

TEST_F(ClientService, RefusalsOfTheDoorKeepTheirClass) {
  rm_.applications.outcome = fail(ErrorCode::kPermissionDenied, "User bob cannot kill");
  pb::KillApplicationRequestProto request;
  compat::to_wire(AppId{1795310003435, 6}, request.mutable_application_id());
  const auto answer = call(*service_, "forceKillApplication", request, alice_);
  EXPECT_EQ(answer.exception_class, java::kAccessControl);
  EXPECT_EQ(answer.message, "User bob cannot kill");
}

TEST_F(ClientService, ClusterMetricsAreTheRecordedAnswer) {
  rm_.reports.cluster_metrics.nodes_active = 1;
  const auto answer = call_bytes(*service_, "getClusterMetrics", "", alice_);
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kMetricsAnswer);
}

TEST_F(ClientService, NodesAreTheRecordedAnswerButForTheGpuUtilization) {
  rm::NodeReport node;
  node.id = {"localhost", 41041};
  node.http_address = "localhost:41042";
  node.rack = "/default-rack";
  node.state = rm::NodeState::kRunning;
  node.total = Resources(6144, 4);
  node.health.reported = {1795309997871};
  rm_.reports.node_list = {std::make_shared<const rm::NodeReport>(node)};
  const auto answer = call_bytes(*service_, "getClusterNodes",
                                 recorded::bytes("08010802080308040805080608070808"), alice_);
  pb::GetClusterNodesResponseProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kNodesAnswer)));
  auto* utilization = expected.mutable_nodereports(0)->mutable_node_utilization();
  utilization->clear_customresources();
  utilization->set_pmem(0);
  utilization->set_vmem(0);
  utilization->set_cpu(0);
  EXPECT_EQ(hex_encode(answer.bytes), hex_encode(expected.SerializeAsString()));
  EXPECT_EQ(rm_.reports.last_states.size(), 8U);
}

rm::QueueReport queue(const std::string& path, const std::string& name) {
  rm::QueueReport out;
  out.path = QueuePath(path);
  out.name = name;
  out.capacity = 1;
  out.absolute_capacity = 1;
  out.guaranteed = out.maximum = Resources(6144, 4);
  out.max_master_share = 0.9F;
  return out;
}

TEST_F(ClientService, QueueTreeIsTheRecordedAnswer) {
  rm::QueueReport root = queue("root", "root");
  root.children.push_back(queue("root.default", "default"));
  testlib::fill_default_partition(root);
  rm_.reports.root = std::make_shared<const rm::QueueReport>(root);
  const auto answer =
      call_bytes(*service_, "getQueueInfo", recorded::bytes("0a04726f6f74100018012001"), alice_);
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kQueueAnswer);
}

TEST_F(ClientService, AQueueShowsItsLabelsAndItsPartOfEachPartition) {
  rm::QueueReport ml = queue("root.ml", "ml");
  testlib::fill_default_partition(ml);
  ml.labels = {"gpu"};
  ml.default_label = "gpu";
  ml.partitions.push_back(ml.partitions[0]);
  ml.partitions[1].label = "gpu";
  ml.partitions[1].capacity = 0.25F;
  ml.partitions.push_back(ml.partitions[0]);
  ml.partitions[2].label = "big";  // not its own
  rm_.reports.root = std::make_shared<const rm::QueueReport>(ml);
  pb::GetQueueInfoRequestProto request;
  request.set_queuename("ml");
  const auto info =
      parsed<pb::GetQueueInfoResponseProto>(call(*service_, "getQueueInfo", request)).queueinfo();
  ASSERT_EQ(info.accessiblenodelabels_size(), 1);
  EXPECT_EQ(info.accessiblenodelabels(0), "gpu");
  EXPECT_EQ(info.defaultnodelabelexpression(), "gpu");
  ASSERT_EQ(info.queueconfigurationsmap_size(), 2);
  EXPECT_EQ(info.queueconfigurationsmap(1).partitionname(), "gpu");
  EXPECT_EQ(info.queueconfigurationsmap(1).queueconfigurations().capacity(), 0.25F);
}

TEST_F(ClientService, LabelsAreListedWithTheirNodes) {
  rm_.reports.label_list.labels = {{"big", false, 0, {}}, {"gpu", true, 1, {}}};
  rm_.reports.label_list.nodes = {{NodeId{"n1", 0}, "gpu"}, {NodeId{"n2", 8041}, "big"}};
  const auto labels = parsed<pb::GetClusterNodeLabelsResponseProto>(
      call_bytes(*service_, "getClusterNodeLabels", "", alice_));
  ASSERT_EQ(labels.nodelabels_size(), 2);
  EXPECT_EQ(labels.nodelabels(0).name(), "big");
  EXPECT_FALSE(labels.nodelabels(0).isexclusive());
  EXPECT_EQ(labels.deprecatednodelabels(1), "gpu");
  const auto nodes = parsed<pb::GetNodesToLabelsResponseProto>(
      call_bytes(*service_, "getNodeToLabels", "", alice_));
  ASSERT_EQ(nodes.nodetolabels_size(), 2);
  EXPECT_EQ(nodes.nodetolabels(0).nodelabels(0), "gpu");
  pb::GetLabelsToNodesRequestProto request;
  request.add_nodelabels("big");
  const auto members =
      parsed<pb::GetLabelsToNodesResponseProto>(call(*service_, "getLabelsToNodes", request));
  ASSERT_EQ(members.labelstonodes_size(), 1);
  EXPECT_EQ(members.labelstonodes(0).nodelabels(), "big");
  EXPECT_EQ(members.labelstonodes(0).nodeid(0).port(), 8041);
}

TEST_F(ClientService, AttributesAreListedByNodeAndByName) {
  rm_.reports.attribute_list.hosts["n1"] = {{"rm.yarn.io", "disk", "ssd"},
                                            {"rm.yarn.io", "os", "debian"}};
  rm_.reports.attribute_list.hosts["n2"] = {{"rm.yarn.io", "os", "bsd"}};
  EXPECT_EQ(parsed<pb::GetClusterNodeAttributesResponseProto>(
                call_bytes(*service_, "getClusterNodeAttributes", "", alice_))
                .nodeattributes_size(),
            2);
  pb::GetAttributesToNodesRequestProto by_name;
  by_name.add_nodeattributes()->set_attributename("os");
  const auto members = parsed<pb::GetAttributesToNodesResponseProto>(
      call(*service_, "getAttributesToNodes", by_name));
  ASSERT_EQ(members.attributestonodes_size(), 1);
  ASSERT_EQ(members.attributestonodes(0).nodevaluemap_size(), 2);
  EXPECT_EQ(members.attributestonodes(0).nodevaluemap(1).attributevalue(), "bsd");
  pb::GetNodesToAttributesRequestProto by_node;
  by_node.add_hostnames("n1");
  const auto attributes = parsed<pb::GetNodesToAttributesResponseProto>(
      call(*service_, "getNodesToAttributes", by_node));
  ASSERT_EQ(attributes.nodestoattributes_size(), 1);
  EXPECT_EQ(attributes.nodestoattributes(0).nodeattributes_size(), 2);
}

TEST_F(ClientService, UnknownQueueIsAnsweredWithoutAQueue) {
  rm_.reports.root = std::make_shared<const rm::QueueReport>(queue("root", "root"));
  pb::GetQueueInfoRequestProto request;
  request.set_queuename("nosuch");
  EXPECT_FALSE(parsed<pb::GetQueueInfoResponseProto>(call(*service_, "getQueueInfo", request))
                   .has_queueinfo());
}

TEST_F(ClientService, RightsAtQueuesCountTheGroupsOfTheUser) {
  rm::QueueReport root = queue("root", "root");
  root.submit_acl = root.administer_acl = " ";
  root.children.push_back(queue("root.default", "default"));
  root.children[0].submit_acl = "bob staff";
  root.children[0].administer_acl = "bob";
  rm_.reports.root = std::make_shared<const rm::QueueReport>(root);
  ServiceOptions options = context_->options;
  options.groups = std::make_shared<security::Groups>(
      clock_, [](const std::string&) { return std::vector<std::string>{"staff"}; },
      security::Groups::Limits{});
  const auto known = std::make_shared<std::promise<void>>();
  options.groups->find("alice", [known](const auto&) { known->set_value(); });
  known->get_future().wait();
  const auto service = make_client_service(
      std::make_shared<const Context>(Context{rm_.door(), clock_, hosts_, options}));
  const auto got = parsed<pb::GetQueueUserAclsInfoResponseProto>(
      call_bytes(*service, "getQueueUserAcls", "", alice_));
  ASSERT_EQ(got.queueuseracls_size(), 2);
  EXPECT_EQ(got.queueuseracls(0).useracls_size(), 0);
  ASSERT_EQ(got.queueuseracls(1).useracls_size(), 1);
  EXPECT_EQ(got.queueuseracls(1).useracls(0), pb::QACL_SUBMIT_APPLICATIONS);
}

TEST_F(ClientService, ResourceProfilesAreOffByTheClassClientsSwallow) {
  const auto answer = call_bytes(*service_, "getResourceProfiles", "", alice_);
  EXPECT_EQ(answer.exception_class, java::kFeatureNotEnabled);
}

TEST_F(ClientService, DelegationTokensNeedKerberos) {
  pbc::GetDelegationTokenRequestProto request;
  request.set_renewer("yarn");
  const auto answer = call(*service_, "getDelegationToken", request, alice_);
  EXPECT_EQ(answer.exception_class, java::kIo);
  EXPECT_EQ(answer.message, "Delegation Token can be issued only with kerberos authentication");
}

TEST_F(ClientService, PriorityInForceIsAnswered) {
  pb::UpdateApplicationPriorityRequestProto request;
  compat::to_wire(AppId{1795310003435, 6}, request.mutable_applicationid());
  request.mutable_applicationpriority()->set_priority(4);
  EXPECT_EQ(parsed<pb::UpdateApplicationPriorityResponseProto>(
                call(*service_, "updateApplicationPriority", request))
                .applicationpriority()
                .priority(),
            0);
}

TEST_F(ClientService, LifetimeIsReadAndWrittenAsATime) {
  pb::UpdateApplicationTimeoutsRequestProto request;
  compat::to_wire(AppId{1795310003435, 6}, request.mutable_applicationid());
  auto* timeout = request.add_application_timeouts();
  timeout->set_application_timeout_type(pb::APP_TIMEOUT_LIFETIME);
  timeout->set_expire_time("2026-11-22T04:01:49.660+0100");
  EXPECT_EQ(parsed<pb::UpdateApplicationTimeoutsResponseProto>(
                call(*service_, "updateApplicationTimeouts", request))
                .application_timeouts(0)
                .expire_time(),
            "2026-11-22T03:01:49.660+0000");
  timeout->set_expire_time("tomorrow");
  EXPECT_EQ(call(*service_, "updateApplicationTimeouts", request).exception_class, java::kYarn);
}

}  // namespace
}  // namespace heddle::compat::yarn
