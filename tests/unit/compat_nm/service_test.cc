#include "compat/nm/service.h"

#include <gtest/gtest.h>

#include <set>

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "tests/testlib/fake_doors.h"
#include "tests/testlib/ipc_calls.h"
#include "tests/testlib/recorded.h"

namespace heddle::compat::node {
namespace {

using testlib::call;
using testlib::call_bytes;
using testlib::FakeResourceManager;

const AttemptId kAttempt{{1795310003435, 2}, 1};

class ContainerPortTest : public ::testing::Test {
 protected:
  ContainerPortTest() {
    reports_.node_facts.id = {"localhost", 41041};
    master_.attempt = kAttempt;
    master_.user = to_string(kAttempt);
  }
  testlib::Answered start(const pb::StartContainersRequestProto& request) {
    return call(*port_.service, "startContainers", request, master_);
  }
  static pb::StartContainersRequestProto recorded_start() {
    pb::StartContainersRequestProto out;
    EXPECT_TRUE(out.ParseFromString(recorded::bytes(recorded::kStartRequest)));
    return out;
  }

  testlib::FakeContainers containers_;
  testlib::FakeNodeReports reports_;
  testlib::FakeAux aux_;
  door::TokenVerifiers keys_{
      security::TokenKeys(FakeResourceManager::key(878007234, "9ed1d64e071d677f")),
      security::TokenKeys(FakeResourceManager::key(-1741119272, "36dccb515fbe60a2"))};
  ContainerPort port_ = make_container_port({containers_, reports_, keys_, {&aux_}, {}});
  security::Caller master_;
};

TEST_F(ContainerPortTest, RecordedStartReachesTheDoorAndIsAnsweredAsRecorded) {
  const auto answer = start(recorded_start());
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kStartAnswer);
  ASSERT_EQ(containers_.starts.size(), 1U);
  const door::StartContainer& request = containers_.starts[0];
  EXPECT_EQ(to_string(request.grant.id), "container_1795310003435_0002_01_000001");
  EXPECT_EQ(request.grant.user, "alice");
  EXPECT_EQ(request.grant.rm_identifier, 1795310003435);
  ASSERT_EQ(request.launch.resources.count("data.txt"), 1U);
  EXPECT_EQ(request.launch.resources.at("data.txt").url, "file:/grid/0/in/f1.txt");
  EXPECT_EQ(request.launch.resources.at("data.txt").size, 3092);
  EXPECT_EQ(request.launch.environment.at(0).first, "MY_VAR");
  EXPECT_EQ(request.launch.commands.size(), 1U);
  EXPECT_EQ(containers_.attempts[0], kAttempt);
}

TEST_F(ContainerPortTest, RefusalOfTheAgentIsAFailedRequest) {
  containers_.outcome =
      fail(ErrorCode::kPermissionDenied, "Unauthorized request to start container.");
  const auto answer = start(recorded_start());
  pb::StartContainersResponseProto message;
  ASSERT_TRUE(message.ParseFromString(answer.bytes));
  ASSERT_EQ(message.failed_requests_size(), 1);
  EXPECT_EQ(message.failed_requests(0).exception().message(),
            "Unauthorized request to start container.");
  EXPECT_EQ(message.failed_requests(0).exception().class_name(), java::kYarn);
  EXPECT_EQ(message.succeeded_requests_size(), 0);
}

TEST_F(ContainerPortTest, AnUpdateReachesTheDoorByBothOfItsMethods) {
  const auto started = recorded_start();
  const auto& token = started.start_container_request(0).container_token();
  pb::ContainerUpdateRequestProto update;
  *update.add_update_container_token() = token;
  pb::ContainerUpdateResponseProto answer;
  ASSERT_TRUE(
      answer.ParseFromString(call(*port_.service, "updateContainer", update, master_).bytes));
  EXPECT_EQ(answer.succeeded_requests_size(), 1);
  pb::IncreaseContainersResourceRequestProto increase;
  *increase.add_increase_containers() = token;
  pb::IncreaseContainersResourceResponseProto increased;
  ASSERT_TRUE(increased.ParseFromString(
      call(*port_.service, "increaseContainersResource", increase, master_).bytes));
  EXPECT_EQ(increased.succeeded_requests_size(), 1);
  ASSERT_EQ(containers_.updates.size(), 2U);
  EXPECT_EQ(to_string(containers_.updates[0].id), "container_1795310003435_0002_01_000001");

  containers_.outcome = fail(ErrorCode::kWrongState, "has update version");
  ASSERT_TRUE(
      answer.ParseFromString(call(*port_.service, "updateContainer", update, master_).bytes));
  ASSERT_EQ(answer.failed_requests_size(), 1);
  EXPECT_EQ(answer.failed_requests(0).exception().message(), "has update version");
}

TEST_F(ContainerPortTest, AForgedTokenUpdatesNothing) {
  pb::ContainerUpdateRequestProto update;
  *update.add_update_container_token() =
      recorded_start().start_container_request(0).container_token();
  update.mutable_update_container_token(0)->set_password("forged");
  EXPECT_EQ(call(*port_.service, "updateContainer", update, master_).exception_class,
            java::kInvalidToken);
  EXPECT_TRUE(containers_.updates.empty());
}

TEST_F(ContainerPortTest, ForgedPasswordFailsTheWholeCall) {
  auto request = recorded_start();
  *request.add_start_container_request() = request.start_container_request(0);
  request.mutable_start_container_request(1)->mutable_container_token()->set_password("forged");
  EXPECT_EQ(start(request).exception_class, java::kInvalidToken);
  EXPECT_TRUE(containers_.starts.empty());
}

TEST_F(ContainerPortTest, ChangedIdentifierFailsTheWholeCall) {
  auto request = recorded_start();
  auto* token = request.mutable_start_container_request(0)->mutable_container_token();
  std::string identifier = token->identifier();
  for (std::size_t bit = 0; bit < identifier.size() * 8; ++bit) {
    std::string flipped = identifier;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    token->set_identifier(flipped);
    ASSERT_EQ(start(request).exception_class, java::kInvalidToken) << "bit " << bit;
  }
}

TEST_F(ContainerPortTest, TokenOfAnotherNodeFailsTheWholeCall) {
  reports_.node_facts.id = {"localhost", 41099};
  EXPECT_EQ(start(recorded_start()).exception_class, java::kInvalidToken);
}

TEST_F(ContainerPortTest, PreviousContainerKeyIsStillAccepted) {
  keys_.container.roll(FakeResourceManager::key(9, "0001020304050607"));
  keys_.container.activate();
  EXPECT_TRUE(start(recorded_start()).ok());
}

TEST_F(ContainerPortTest, HostileLaunchContextFailsItsContainerOnly) {
  auto request = recorded_start();
  request.mutable_start_container_request(0)
      ->mutable_container_launch_context()
      ->add_environment()
      ->set_key("A=B");
  pb::StartContainersResponseProto message;
  ASSERT_TRUE(message.ParseFromString(start(request).bytes));
  ASSERT_EQ(message.failed_requests_size(), 1);
  EXPECT_TRUE(containers_.starts.empty());
}

TEST_F(ContainerPortTest, CallWithoutAnAttemptIsRefused) {
  const security::Caller nobody;
  EXPECT_EQ(call(*port_.service, "startContainers", recorded_start(), nobody).exception_class,
            java::kInvalidToken);
}

TEST_F(ContainerPortTest, StatusOfALocalizingContainerIsTheRecordedAnswer) {
  containers_.known.id = {kAttempt, 1};
  containers_.known.state = door::ContainerState::kLocalizing;
  containers_.known.resources = Resources(256, 1);
  const auto answer = call_bytes(*port_.service, "getContainerStatuses",
                                 recorded::bytes(recorded::kStatusRequest), master_);
  EXPECT_EQ(hex_encode(answer.bytes), recorded::kStatusAnswer);
}

TEST_F(ContainerPortTest, UnknownContainerIsAFailedRequest) {
  containers_.outcome = fail(ErrorCode::kNotFound, "Container x is not handled by this NodeManager",
                             ErrorSubject::kContainer);
  pb::GetContainerStatusesResponseProto message;
  ASSERT_TRUE(message.ParseFromString(call_bytes(*port_.service, "getContainerStatuses",
                                                 recorded::bytes(recorded::kStatusRequest), master_)
                                          .bytes));
  ASSERT_EQ(message.failed_requests_size(), 1);
  EXPECT_EQ(message.failed_requests(0).exception().class_name(), java::kYarn);
}

TEST_F(ContainerPortTest, StopAnswersEachContainerInOrder) {
  pb::StopContainersRequestProto request;
  compat::to_wire(ContainerId{kAttempt, 2}, request.add_container_id());
  compat::to_wire(ContainerId{kAttempt, 1}, request.add_container_id());
  pb::StopContainersResponseProto message;
  ASSERT_TRUE(
      message.ParseFromString(call(*port_.service, "stopContainers", request, master_).bytes));
  ASSERT_EQ(message.succeeded_requests_size(), 2);
  EXPECT_EQ(message.succeeded_requests(0).id(), 2);
  EXPECT_EQ(containers_.stops.size(), 2U);
}

TEST_F(ContainerPortTest, EveryMethodOfTheProtocolIsServed) {
  std::set<std::string> served;
  for (const auto& [name, method] : port_.service->methods())
    served.insert(name);
  const std::set<std::string> expected = {"startContainers",
                                          "stopContainers",
                                          "getContainerStatuses",
                                          "signalToContainer",
                                          "updateContainer",
                                          "increaseContainersResource",
                                          "localize",
                                          "restartContainer",
                                          "reInitializeContainer",
                                          "commitLastReInitialization",
                                          "rollbackLastReInitialization",
                                          "getLocalizationStatuses"};
  EXPECT_EQ(served, expected);
  const auto answer = call_bytes(*port_.service, "restartContainer", "", master_);
  EXPECT_EQ(answer.message, "Restarting a container is not supported yet by this NodeManager");
}

constexpr std::string_view kNmIdentifier =
    "0a0d0a09080210ebc9c286a0341001120f0a096c6f63616c686f737410d1c0021a05616c69636520d8c1e2c1f9ff"
    "ffffff01";

TEST_F(ContainerPortTest, LoginProvesTheRecordedToken) {
  const auto login = port_.login(recorded::bytes(kNmIdentifier));
  ASSERT_TRUE(login.has_value()) << login.error().message;
  EXPECT_EQ(hex_encode(login->password.reveal_bytes()), "1e79fd77bfb0863bbcd81214832ef039c7a8968c");
  EXPECT_EQ(login->caller.attempt, kAttempt);
}

TEST_F(ContainerPortTest, LoginWithAnUnknownKeyHasHadoopsText) {
  const auto login = port_.login(encode(NmIdentifier{kAttempt, {"localhost", 41041}, "alice", 5}));
  ASSERT_FALSE(login.has_value());
  EXPECT_EQ(login.error().message,
            "Given NMToken for application : appattempt_1795310003435_0002_000001 seems to have "
            "been generated illegally.");
}

TEST_F(ContainerPortTest, LoginForAnotherNodeIsRefused) {
  EXPECT_FALSE(
      port_.login(encode(NmIdentifier{kAttempt, {"other", 1}, "alice", -1741119272})).has_value());
}

TEST_F(ContainerPortTest, AttemptThatStartedAContainerKeepsItsKey) {
  ASSERT_TRUE(start(recorded_start()).ok());
  for (int i = 1; i <= 3; ++i) {
    keys_.nm.roll(FakeResourceManager::key(i, "0001020304050607"));
    keys_.nm.activate();
  }
  EXPECT_TRUE(port_.login(recorded::bytes(kNmIdentifier)).has_value());
  const AttemptId other{{1795310003435, 3}, 1};
  EXPECT_FALSE(port_.login(encode(NmIdentifier{other, {"localhost", 41041}, "alice", -1741119272}))
                   .has_value());
}

TEST_F(ContainerPortTest, AttemptThatCameAgainWithANewerTokenKeepsThatKeyToo) {
  const auto roll_to = [this](std::int32_t id) {
    keys_.nm.roll(FakeResourceManager::key(id, "0001020304050607"));
    keys_.nm.activate();
  };
  const auto may_log_in = [this](std::int32_t key_id) {
    return port_.login(encode(NmIdentifier{kAttempt, {"localhost", 41041}, "alice", key_id}))
        .has_value();
  };
  ASSERT_TRUE(start(recorded_start()).ok());
  for (int i = 1; i <= 3; ++i)
    roll_to(i);
  ASSERT_TRUE(start(recorded_start()).ok());  // with a token of key 3
  for (int i = 4; i <= 6; ++i)
    roll_to(i);
  EXPECT_TRUE(may_log_in(3)) << "the newer token";
  EXPECT_TRUE(may_log_in(-1741119272)) << "the first one";
  EXPECT_FALSE(may_log_in(1)) << "valid only while it did not come";
}

}  // namespace
}  // namespace heddle::compat::node
