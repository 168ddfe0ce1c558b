#include "compat/proto/HAServiceProtocol.pb.h"
#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/proto/yarn_server_resourcemanager_service_protos.pb.h"
#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "compat/yarn/am_launcher.h"
#include "security/token.h"
#include "tests/unit/compat_yarn/services.h"

namespace heddle::compat::yarn {
namespace {

using testlib::call;
using testlib::call_bytes;

class TrackerService : public Services {
 protected:
  /// The reply comes on the resolver's thread.
  std::string register_node() {
    std::promise<std::string> promise;
    const ipc::CallContext context{alice_, "0123456789abcdef", 1, 0};
    (*service_->find("registerNodeManager"))(
        context, recorded::bytes(recorded::kRegisterNodeRequest),
        [&](Result<ipc::ProtocolService::MessagePtr> answer) {
          promise.set_value(answer ? (*answer)->SerializeAsString() : answer.error().message);
        });
    return promise.get_future().get();
  }
  ServicePtr service_ = make_tracker_service(context_);
};

TEST_F(TrackerService, RegistrationIsTheRecordedAnswer) {
  rm_.nodes.registered.rm_identifier = 1795310003435;
  EXPECT_EQ(hex_encode(register_node()), recorded::kRegisterNodeAnswer);
  const rm::RegisterNode& node = rm_.nodes.registrations.at(0);
  EXPECT_EQ(to_string(node.id), "localhost:41041");
  EXPECT_EQ(node.http_port, 41042);
  EXPECT_EQ(node.total, Resources(6144, 4));
  EXPECT_EQ(node.version, "3.4.2");
  EXPECT_EQ(node.address, "127.0.0.1");
  EXPECT_TRUE(node.health.healthy);
}

TEST_F(TrackerService, RefusedNodeGetsNoKeys) {
  rm_.nodes.registered.shutdown = true;
  rm_.nodes.registered.diagnostics = "Disallowed NodeManager";
  pb::RegisterNodeManagerResponseProto answer;
  ASSERT_TRUE(answer.ParseFromString(register_node()));
  EXPECT_EQ(answer.nodeaction(), pb::SHUTDOWN);
  EXPECT_FALSE(answer.has_container_token_master_key());
}

TEST_F(TrackerService, HeartbeatIsTheRecordedAnswer) {
  rm_.nodes.answer.response_id = 1;
  const auto answer =
      call_bytes(*service_, "nodeHeartbeat", recorded::bytes(recorded::kHeartbeatRequest), alice_);
  pb::NodeHeartbeatResponseProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kHeartbeatAnswer)));
  expected.clear_tokensequenceno();  // no credentials are handed to nodes
  EXPECT_EQ(hex_encode(answer.bytes), hex_encode(expected.SerializeAsString()));
  EXPECT_EQ(rm_.nodes.heartbeats[0].node_utilization.physical_mb, 2286);
}

TEST_F(TrackerService, NextKeyIsSentUntilTheNodeKnowsIt) {
  rm_.keys.nm.roll(testlib::FakeResourceManager::key(9, "0001020304050607"));
  pb::NodeHeartbeatRequestProto request;
  ASSERT_TRUE(request.ParseFromString(recorded::bytes(recorded::kHeartbeatRequest)));
  auto answer = parsed<pb::NodeHeartbeatResponseProto>(call(*service_, "nodeHeartbeat", request));
  EXPECT_EQ(answer.nm_token_master_key().key_id(), 9);
  EXPECT_FALSE(answer.has_container_token_master_key());
  request.mutable_last_known_nm_token_master_key()->set_key_id(9);
  answer = parsed<pb::NodeHeartbeatResponseProto>(call(*service_, "nodeHeartbeat", request));
  EXPECT_FALSE(answer.has_nm_token_master_key());
}

TEST_F(TrackerService, OfLongDiagnosticsTheEndIsTaken) {
  pb::NodeHeartbeatRequestProto request;
  ASSERT_TRUE(request.ParseFromString(recorded::bytes(recorded::kHeartbeatRequest)));
  auto* status = request.mutable_node_status()->add_containersstatuses();
  auto* id = status->mutable_container_id();
  id->set_id(1);
  id->mutable_app_attempt_id()->set_attemptid(1);
  id->mutable_app_attempt_id()->mutable_application_id()->set_id(1);
  id->mutable_app_attempt_id()->mutable_application_id()->set_cluster_timestamp(1);
  status->set_state(pb::C_COMPLETE);
  const std::string end(65'534, 'x');
  status->set_diagnostics("lost \u00fc\u20ac" + end);  // the limit lies within the last character
  const auto answer = call(*service_, "nodeHeartbeat", request);
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(rm_.nodes.heartbeats[0].containers.back().diagnostics, end);
}

TEST_F(TrackerService, HeartbeatWithoutANodeIsRefused) {
  EXPECT_FALSE(call(*service_, "nodeHeartbeat", pb::NodeHeartbeatRequestProto{}).ok());
}

class AdminServiceTest : public Services {
 protected:
  ContextPtr with_groups(security::Groups::Lookup lookup) {
    ServiceOptions options = context_->options;
    options.groups =
        std::make_shared<security::Groups>(clock_, std::move(lookup), security::Groups::Limits{});
    return std::make_shared<const Context>(Context{rm_.door(), clock_, hosts_, options});
  }
  /// Waits until the groups of `user` are known: then they are answered at once.
  static void remembered(const Context& context, const std::string& user) {
    const auto found = std::make_shared<std::promise<void>>();
    context.options.groups->find(user, [found](const auto&) { found->set_value(); });
    found->get_future().wait();
  }
  ServicePtr service_ = make_admin_service(context_);
};

TEST_F(AdminServiceTest, GracefulRefreshCarriesItsTimeout) {
  pb::RefreshNodesRequestProto request;
  EXPECT_TRUE(call(*service_, "refreshNodes", request).ok());
  request.set_decommissiontype(pb::DECOMMISSION_GRACEFUL);
  request.set_decommissiontimeout(60);
  EXPECT_TRUE(call(*service_, "refreshNodes", request).ok());
  ASSERT_EQ(rm_.admin.node_refreshes.size(), 2U);
  EXPECT_FALSE(rm_.admin.node_refreshes[0].has_value());
  EXPECT_EQ(rm_.admin.node_refreshes[1], std::chrono::seconds(60));
}

TEST_F(AdminServiceTest, LabelsAreOffWithHadoopsWords) {
  rm_.admin.outcome =
      fail(ErrorCode::kUnsupported,
           "Node-label-based scheduling is disabled. Please check yarn.node-labels.enabled",
           ErrorSubject::kLabel);
  for (const char* method : {"addToClusterNodeLabels", "removeFromClusterNodeLabels",
                             "replaceLabelsOnNodes", "mapAttributesToNodes"}) {
    const auto answer = call_bytes(*service_, method, "", alice_);
    EXPECT_EQ(answer.exception_class, java::kYarn);
    EXPECT_EQ(answer.message,
              "java.io.IOException: Node-label-based scheduling is disabled. Please check "
              "yarn.node-labels.enabled");
  }
}

TEST_F(AdminServiceTest, LabelsReachTheDoor) {
  pb::AddToClusterNodeLabelsRequestProto add;
  add.add_nodelabels()->set_name("gpu");
  auto* shared = add.add_nodelabels();
  shared->set_name("big");
  shared->set_isexclusive(false);
  EXPECT_TRUE(call(*service_, "addToClusterNodeLabels", add).ok());
  EXPECT_EQ(rm_.admin.labels_added.at(0),
            (std::vector<rm::NodeLabel>{{"gpu", true}, {"big", false}}));
  pb::RemoveFromClusterNodeLabelsRequestProto remove;
  remove.add_nodelabels("gpu");
  EXPECT_TRUE(call(*service_, "removeFromClusterNodeLabels", remove).ok());
  EXPECT_EQ(rm_.admin.labels_removed.at(0), std::set<std::string>{"gpu"});
  pb::ReplaceLabelsOnNodeRequestProto replace;
  replace.set_failonunknownnodes(true);
  auto* entry = replace.add_nodetolabels();
  compat::to_wire(NodeId{"n1", 0}, entry->mutable_nodeid());
  entry->add_nodelabels("gpu");
  EXPECT_TRUE(call(*service_, "replaceLabelsOnNodes", replace).ok());
  EXPECT_TRUE(rm_.admin.labels_replaced.at(0).fail_on_unknown_nodes);
  EXPECT_EQ(rm_.admin.labels_replaced[0].nodes, (rm::NodeLabelSets{{NodeId{"n1", 0}, {"gpu"}}}));
}

TEST_F(AdminServiceTest, LabelsOfOldClientsAreExclusive) {
  pb::AddToClusterNodeLabelsRequestProto add;
  add.add_deprecatednodelabels("gpu");
  EXPECT_TRUE(call(*service_, "addToClusterNodeLabels", add).ok());
  EXPECT_EQ(rm_.admin.labels_added.at(0), (std::vector<rm::NodeLabel>{{"gpu", true}}));
}

TEST_F(AdminServiceTest, TooManyLabelsInOneRequestAreRefused) {
  pb::RemoveFromClusterNodeLabelsRequestProto remove;
  for (int i = 0; i < 10'001; ++i)
    remove.add_nodelabels(std::to_string(i));
  const auto answer = call(*service_, "removeFromClusterNodeLabels", remove);
  EXPECT_EQ(answer.message, "10001 node labels in one request, at most 10000 are taken");
}

TEST_F(AdminServiceTest, AttributesReachTheDoor) {
  pb::NodesToAttributesMappingRequestProto request;
  request.set_operation(pb::ADD);
  auto* entry = request.add_nodetoattributes();
  entry->set_node("n1");
  auto* attribute = entry->add_nodeattributes();
  attribute->mutable_attributekey()->set_attributename("os");
  attribute->set_attributevalue("debian");
  EXPECT_TRUE(call(*service_, "mapAttributesToNodes", request).ok());
  const rm::MapAttributes& mapped = rm_.admin.attributes_mapped.at(0);
  EXPECT_EQ(mapped.operation, rm::MapAttributes::Operation::kAdd);
  EXPECT_EQ(mapped.hosts.at("n1").at(0), (rm::NodeAttribute{"rm.yarn.io", "os", "debian"}));
}

TEST_F(AdminServiceTest, AllNodesOfAnUpdateReachTheDoor) {
  pb::UpdateNodeResourceRequestProto request;
  for (const int port : {8041, 8042}) {
    auto* entry = request.add_node_resource_map();
    compat::to_wire(NodeId{"localhost", port}, entry->mutable_node_id());
    entry->mutable_resource_option()->mutable_resource()->set_memory(8192);
    entry->mutable_resource_option()->mutable_resource()->set_virtual_cores(8);
  }
  EXPECT_TRUE(call(*service_, "updateNodeResource", request).ok());
  ASSERT_EQ(rm_.admin.updates.size(), 2U);
  EXPECT_EQ(rm_.admin.updates[1].second, Resources(8192, 8));
  rm_.admin.outcome = fail(ErrorCode::kPermissionDenied, "alice is no administrator");
  EXPECT_EQ(call(*service_, "updateNodeResource", request).exception_class, java::kAccessControl);
}

TEST_F(AdminServiceTest, RefreshesReachTheDoor) {
  EXPECT_TRUE(call_bytes(*service_, "refreshClusterMaxPriority", "", alice_).ok());
  EXPECT_TRUE(call_bytes(*service_, "refreshNodesResources", "", alice_).ok());
  EXPECT_EQ(rm_.admin.priority_refreshes, 1);
  EXPECT_EQ(rm_.admin.size_refreshes, 1);
}

TEST_F(AdminServiceTest, GroupsAreAnsweredByBothProtocolsThatAskForThem) {
  const auto context = with_groups([](const std::string& user) {
    return std::vector<std::string>{user, "staff"};
  });
  remembered(*context, "ann");
  pb::GetGroupsForUserRequestProto request;
  request.set_user("ann");
  for (const auto& service : {make_admin_service(context), make_groups_service(context)}) {
    const auto got = parsed<pb::GetGroupsForUserResponseProto>(
        call(*service, "getGroupsForUser", request, alice_));
    ASSERT_EQ(got.groups_size(), 2);
    EXPECT_EQ(got.groups(0), "ann");
    for (const std::string& bad :
         {std::string(), std::string(1 << 20, 'x'), std::string("a\0b", 3)}) {
      pb::GetGroupsForUserRequestProto hostile;
      hostile.set_user(bad);
      const auto refused = call(*service, "getGroupsForUser", hostile, alice_);
      EXPECT_NE(refused.message.find("is not a user name"), std::string::npos);
      EXPECT_LT(refused.message.size(), 300U);
    }
  }
}

TEST_F(AdminServiceTest, GroupsAreAskedForAnewAfterTheirRefresh) {
  std::atomic<int> lookups{0};
  const auto context = with_groups(
      [&](const std::string&) { return std::vector<std::string>{std::to_string(++lookups)}; });
  remembered(*context, "ann");
  remembered(*context, "ann");
  EXPECT_EQ(lookups, 1);
  EXPECT_TRUE(
      call_bytes(*make_admin_service(context), "refreshUserToGroupsMappings", "", alice_).ok());
  remembered(*context, "ann");
  EXPECT_EQ(lookups, 2);
}

TEST_F(AdminServiceTest, CallGoesOnWhileTheSystemLooksForGroups) {
  std::promise<void> system_answers;
  const auto context = with_groups([&](const std::string&) {
    system_answers.get_future().wait();
    return std::vector<std::string>{"staff"};
  });
  const auto service = make_admin_service(context);
  pb::GetGroupsForUserRequestProto request;
  request.set_user("ann");
  std::promise<std::string> answered;
  const ipc::CallContext call_context{alice_, "0123456789abcdef", 1, 0};
  (*service->find("getGroupsForUser"))(
      call_context, request.SerializeAsString(),
      [&](Result<ipc::ProtocolService::MessagePtr> answer) {
        answered.set_value(answer ? (*answer)->SerializeAsString() : answer.error().message);
      });
  // Here the handler has returned, and the system has said nothing yet.
  system_answers.set_value();
  pb::GetGroupsForUserResponseProto out;
  ASSERT_TRUE(out.ParseFromString(answered.get_future().get()));
  EXPECT_EQ(out.groups(0), "staff");
}

TEST_F(AdminServiceTest, OthersAreToldThatTheyMayNot) {
  rm_.admin.outcome = fail(ErrorCode::kPermissionDenied, "alice is no administrator");
  for (const char* method : {"refreshQueues", "refreshAdminAcls", "addToClusterNodeLabels"}) {
    EXPECT_EQ(call_bytes(*service_, method, "", alice_).exception_class, java::kAccessControl)
        << method;
  }
}

TEST_F(AdminServiceTest, ALoneResourceManagerIsActive) {
  const ServicePtr ha = make_ha_service();
  EXPECT_EQ(
      parsed<pbc::GetServiceStatusResponseProto>(call_bytes(*ha, "getServiceStatus", "", alice_))
          .state(),
      pbc::ACTIVE);
  pbc::TransitionToStandbyRequestProto request;
  request.mutable_reqinfo()->set_reqsource(pbc::REQUEST_BY_USER);
  EXPECT_EQ(call(*ha, "transitionToStandby", request).exception_class, java::kServiceFailed);
}

class Launcher : public Services {
 protected:
  Launcher() {
    pb::SubmitApplicationRequestProto request;
    EXPECT_TRUE(request.ParseFromString(recorded::bytes(recorded::kSubmitRequest)));
    rm::Submission submission;
    submission.launch = std::make_shared<const std::string>(
        request.application_submission_context().am_container_spec().SerializeAsString());
    launch_.attempt = {{1795310003435, 6}, 1};
    launch_.user = "alice";
    launch_.submitted = {1795310203451};
    launch_.submission = std::make_shared<const rm::Submission>(submission);
    launch_.container.id = {launch_.attempt, 1};
    launch_.container.node = {"localhost", 41041};
    launch_.container.resources = Resources(512, 1);
    launch_.container.user = "alice";
  }
  void launch() {
    launcher_.launch(launch_, [this](Result<void> result) { result_ = std::move(result); });
  }

  /// The node's agent is away: nobody listens on its port.
  void fail_call(std::size_t index, bool never_sent) {
    client_.calls.at(index).done(tl::unexpected(ipc::CallFailure{
        {ErrorCode::kUnavailable, "connection refused", ErrorSubject::kNone}, {}, never_sent}));
  }

  testlib::FakeClient client_;
  std::vector<std::function<void()>> later_;
  AmLauncher launcher_{
      context_, client_, [](const std::function<void()>& task) { task(); },
      [this](Duration, std::function<void()> task) { later_.push_back(std::move(task)); }};
  rm::MasterLaunch launch_;
  std::optional<Result<void>> result_;
};

TEST_F(Launcher, SendsWhatTheRecordedResourceManagerSent) {
  launch();
  ASSERT_EQ(client_.calls.size(), 1U);
  EXPECT_EQ(client_.calls[0].method, "startContainers");
  EXPECT_EQ(client_.calls[0].host, "localhost");
  EXPECT_EQ(client_.calls[0].port, 41041);
  EXPECT_EQ(client_.calls[0].login.user, "appattempt_1795310003435_0006_000001");
  ASSERT_TRUE(client_.calls[0].login.token.has_value());
  EXPECT_EQ(client_.calls[0].login.token->kind, kNmTokenKind);
  EXPECT_EQ(client_.calls[0].login.token->service, "127.0.0.1:41041");
  pb::StartContainersRequestProto sent, expected;
  ASSERT_TRUE(sent.ParseFromString(client_.calls[0].request));
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kLaunchRequest)));
  const auto environment = [](const pb::StartContainersRequestProto& request) {
    std::map<std::string, std::string> out;
    for (const auto& variable :
         request.start_container_request(0).container_launch_context().environment()) {
      out[variable.key()] = variable.value();
    }
    return out;
  };
  EXPECT_EQ(environment(sent), environment(expected));
  const auto tokens = [](const pb::StartContainersRequestProto& request) {
    return security::decode_credentials(
               request.start_container_request(0).container_launch_context().tokens())
        .value();
  };
  ASSERT_TRUE(tokens(sent).tokens.contains(""));
  EXPECT_EQ(tokens(sent).tokens.at("").identifier, tokens(expected).tokens.at("").identifier);
  EXPECT_EQ(tokens(sent).tokens.at("").password.reveal_bytes(),
            tokens(expected).tokens.at("").password.reveal_bytes());
  EXPECT_EQ(tokens(sent).secrets.size(), tokens(expected).secrets.size());
  const auto identifier = decode_container_identifier(
      sent.start_container_request(0).container_token().identifier(), ResourceTypes{});
  ASSERT_TRUE(identifier.has_value());
  EXPECT_TRUE(identifier->is_master);
}

TEST_F(Launcher, NodesWordsAreTheReasonOfAFailedStart) {
  launch();
  pb::StartContainersResponseProto answer;
  auto* failed = answer.add_failed_requests();
  compat::to_wire(launch_.container.id, failed->mutable_container_id());
  failed->mutable_exception()->set_message("The auxService:x does not exist");
  client_.calls[0].done(answer.SerializeAsString());
  ASSERT_TRUE(result_.has_value());
  ASSERT_FALSE(result_->has_value());
  EXPECT_EQ(result_->error().message, "node localhost:41041: The auxService:x does not exist");
}

TEST_F(Launcher, StartedContainerIsASuccess) {
  launch();
  pb::StartContainersResponseProto answer;
  compat::to_wire(launch_.container.id, answer.add_succeeded_requests());
  client_.calls[0].done(answer.SerializeAsString());
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->has_value());
}

TEST_F(Launcher, UnreachableNodeIsTriedAgainUntilItIsBack) {
  rm_.reports.running = {launch_.attempt};
  launch();
  for (std::size_t i = 0; i < 5; ++i) {
    fail_call(i, true);
    EXPECT_FALSE(result_.has_value());
    clock_.advance(AmLauncher::kRetryPause);
    later_.at(i)();
    ASSERT_EQ(client_.calls.size(), i + 2);
  }
  pb::StartContainersResponseProto answer;
  compat::to_wire(launch_.container.id, answer.add_succeeded_requests());
  client_.calls[5].done(answer.SerializeAsString());
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->has_value());
}

TEST_F(Launcher, NodeThatStaysAwayIsUnavailableAfterAWhile) {
  rm_.reports.running = {launch_.attempt};
  launch();
  clock_.advance(AmLauncher::kRetryFor);
  fail_call(0, true);
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(later_.empty());
}

TEST_F(Launcher, AttemptThatEndedMeanwhileIsNotStarted) {
  rm_.reports.running = {launch_.attempt};
  launch();
  fail_call(0, true);
  rm_.reports.running.clear();
  later_.at(0)();
  EXPECT_EQ(client_.calls.size(), 1U);
  ASSERT_TRUE(result_.has_value());
  EXPECT_FALSE(result_->has_value());
}

TEST_F(Launcher, CallThatMayHaveArrivedIsNotSentTwice) {
  rm_.reports.running = {launch_.attempt};
  launch();
  fail_call(0, false);
  EXPECT_TRUE(later_.empty());
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->error().code, ErrorCode::kUnavailable);
}

TEST_F(Launcher, CleanUpStopsTheContainer) {
  launcher_.clean_up(launch_.attempt, launch_.container.id, launch_.container.node);
  ASSERT_EQ(client_.calls.size(), 1U);
  EXPECT_EQ(client_.calls[0].method, "stopContainers");
  client_.calls[0].done(std::string());
}

}  // namespace
}  // namespace heddle::compat::yarn
