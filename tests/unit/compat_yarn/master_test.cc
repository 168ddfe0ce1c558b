#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "compat/yarn/requests.h"
#include "compat/yarn/token_maker.h"
#include "tests/unit/compat_yarn/services.h"

namespace heddle::compat::yarn {
namespace {

using testlib::call;
using testlib::call_bytes;

class MasterService : public Services {
 protected:
  ServicePtr service_ = make_master_service(context_);

  static rm::GrantedContainer granted() {
    rm::GrantedContainer container;
    container.id = {kAttempt, 1};
    container.node = {"localhost", 41041};
    container.node_http_address = "localhost:41042";
    container.resources = Resources(256, 1);
    container.priority = 5;
    container.created = {1795310022105};
    container.token_expiry = {1795310622534};
    container.user = "alice";
    return container;
  }
};

TEST_F(MasterService, RegistrationIsTheRecordedAnswerWithVcoresScheduled) {
  rm_.masters.registered.queue = QueuePath("root.default");
  rm_.masters.registered.maximum = Resources(6144, 4);
  const auto answer = call_bytes(*service_, "registerApplicationMaster",
                                 recorded::bytes(recorded::kRegisterMasterRequest), master_);
  pb::RegisterApplicationMasterResponseProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kRegisterMasterAnswer)));
  const auto got = parsed<pb::RegisterApplicationMasterResponseProto>(answer);
  EXPECT_EQ(got.maximumcapability().SerializeAsString(),
            expected.maximumcapability().SerializeAsString());
  EXPECT_EQ(got.queue(), expected.queue());
  EXPECT_EQ(got.resource_types_size(), expected.resource_types_size());
  EXPECT_FALSE(got.has_client_to_am_token_master_key());
  ASSERT_EQ(got.scheduler_resource_types_size(), 2);
  EXPECT_EQ(rm_.masters.registrations[0].host, "localhost");
  EXPECT_EQ(rm_.masters.registrations[0].rpc_port, 34451);
  EXPECT_EQ(rm_.masters.registrations[0].tracking_url, "http://localhost:44869");
  EXPECT_EQ(rm_.masters.attempts[0], kAttempt);
}

TEST_F(MasterService, GrantWithItsTokensIsTheRecordedAnswer) {
  rm_.masters.allocated.response_id = 3;
  rm_.masters.allocated.containers = {granted()};
  rm_.masters.allocated.nm_tokens_for = {{"localhost", 41041}};
  rm_.masters.allocated.headroom = Resources(5888, 3);
  rm_.masters.allocated.cluster_nodes = 1;
  const auto answer =
      call_bytes(*service_, "allocate", recorded::bytes(recorded::kAllocateRequest), master_);
  pb::AllocateResponseProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kAllocateAnswer)));
  expected.clear_enhanced_headroom();
  EXPECT_EQ(hex_encode(answer.bytes), hex_encode(expected.SerializeAsString()));
}

TEST_F(MasterService, PreviousContainersComeWithOneTokenANode) {
  rm::GrantedContainer second = granted();
  second.id.id = 2;
  rm_.masters.registered.previous_containers = {granted(), second};
  const auto got = parsed<pb::RegisterApplicationMasterResponseProto>(
      call_bytes(*service_, "registerApplicationMaster",
                 recorded::bytes(recorded::kRegisterMasterRequest), master_));
  EXPECT_EQ(got.containers_from_previous_attempts_size(), 2);
  EXPECT_EQ(got.nm_tokens_from_previous_attempts_size(), 1);
}

TEST_F(MasterService, ReleasedContainerIsReportedComplete) {
  rm_.masters.allocated.finished = {{{kAttempt, 2}, -100, "Container released by application"}};
  const auto got = parsed<pb::AllocateResponseProto>(
      call(*service_, "allocate", pb::AllocateRequestProto{}, master_));
  ASSERT_EQ(got.completed_container_statuses_size(), 1);
  EXPECT_EQ(got.completed_container_statuses(0).state(), pb::C_COMPLETE);
  EXPECT_EQ(got.completed_container_statuses(0).exit_status(), -100);
}

TEST_F(MasterService, RolledKeyBringsATokenSignedWithTheNextOne) {
  rm_.keys.amrm.roll(testlib::FakeResourceManager::key(5, "0001020304050607"));
  rm_.masters.allocated.renew_amrm_token = true;
  const auto got = parsed<pb::AllocateResponseProto>(
      call(*service_, "allocate", pb::AllocateRequestProto{}, master_));
  ASSERT_TRUE(got.has_am_rm_token());
  EXPECT_EQ(got.am_rm_token().service(), "");
  EXPECT_EQ(decode_amrm_identifier(got.am_rm_token().identifier())->key_id, 5);
}

TEST_F(MasterService, RefusedUpdateQuotesItsRequest) {
  pb::AllocateRequestProto request;
  auto* update = request.add_update_requests();
  compat::to_wire(ContainerId{kAttempt, 1}, update->mutable_container_id());
  update->set_container_version(3);
  update->set_update_type(pb::INCREASE_RESOURCE);
  rm_.masters.allocated.update_errors = {{{kAttempt, 1}, "UPDATE_OUTSTANDING_ERROR"}};
  const auto got = parsed<pb::AllocateResponseProto>(call(*service_, "allocate", request, master_));
  ASSERT_EQ(got.update_errors_size(), 1);
  EXPECT_EQ(got.update_errors(0).reason(), "UPDATE_OUTSTANDING_ERROR");
  EXPECT_EQ(got.update_errors(0).update_request().container_version(), 3);
  EXPECT_EQ(got.update_errors(0).current_container_version(), -1);
}

TEST_F(MasterService, UpdatedContainerCarriesATokenWithItsVersionAndSize) {
  rm::GrantedContainer container = granted();
  container.resources = Resources(4096, 2);
  container.version = 2;
  container.execution_type = rm::ExecutionType::kOpportunistic;
  rm_.masters.allocated.updated = {{rm::UpdateKind::kDemote, container}};
  const auto got = parsed<pb::AllocateResponseProto>(
      call(*service_, "allocate", pb::AllocateRequestProto{}, master_));
  ASSERT_EQ(got.updated_containers_size(), 1);
  EXPECT_EQ(got.updated_containers(0).update_type(), pb::DEMOTE_EXECUTION_TYPE);
  const pb::ContainerProto& wire = got.updated_containers(0).container();
  EXPECT_EQ(wire.version(), 2);
  EXPECT_EQ(wire.execution_type(), pb::OPPORTUNISTIC);
  const auto token = decode_container_identifier(wire.container_token().identifier(), {});
  ASSERT_TRUE(token);
  EXPECT_EQ(token->version, 2);
  EXPECT_EQ(token->resources, Resources(4096, 2));
  EXPECT_TRUE(token->opportunistic);
}

TEST_F(MasterService, UpdatesReachTheDoorWithWhatMakesSenseInThem) {
  pb::AllocateRequestProto request;
  for (const std::int64_t memory : {4096L, -1L}) {
    auto* update = request.add_update_requests();
    compat::to_wire(ContainerId{kAttempt, 1}, update->mutable_container_id());
    update->set_container_version(3);
    update->set_update_type(pb::DECREASE_RESOURCE);
    update->mutable_capability()->set_memory(memory);
    update->mutable_capability()->set_virtual_cores(1);
  }
  const auto command = allocate_from_wire(request, ResourceTypes{});
  ASSERT_TRUE(command);
  ASSERT_EQ(command->updates.size(), 2U);
  EXPECT_EQ(command->updates[0].kind, rm::UpdateKind::kDecrease);
  EXPECT_EQ(command->updates[0].version, 3);
  EXPECT_EQ(command->updates[0].resources, Resources(4096, 1));
  EXPECT_FALSE(command->updates[1].resources);
}

TEST_F(MasterService, NotRegisteredIsTheClassThatMakesAnAmRegisterAgain) {
  rm_.masters.error =
      Error{ErrorCode::kWrongState, "AM is not registered", ErrorSubject::kRegistration};
  EXPECT_EQ(call(*service_, "allocate", pb::AllocateRequestProto{}, master_).exception_class,
            java::kMasterNotRegistered);
}

TEST_F(MasterService, FinishIsFalseUntilTheStateIsSaved) {
  const auto ask = [this] {
    return hex_encode(call(*service_, "finishApplicationMaster",
                           pb::FinishApplicationMasterRequestProto{}, master_)
                          .bytes);
  };
  EXPECT_EQ(ask(), "0800");
  rm_.masters.finished = true;
  EXPECT_EQ(ask(), "0801");
}

TEST_F(MasterService, CallWithoutAnAttemptIsRefused) {
  EXPECT_EQ(call(*service_, "allocate", pb::AllocateRequestProto{}, alice_).exception_class,
            java::kInvalidToken);
  EXPECT_TRUE(rm_.masters.attempts.empty());
}

TEST_F(MasterService, LoginProvesTheRecordedToken) {
  rm_.reports.running = {kAttempt};
  const auto login = make_master_login(context_)(
      recorded::bytes("0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01"));
  ASSERT_TRUE(login.has_value()) << login.error().message;
  EXPECT_EQ(hex_encode(login->password.reveal_bytes()), "ddddee08a96da35cd293f5328d777bc20650ec59");
  EXPECT_EQ(login->caller.attempt, kAttempt);
  EXPECT_EQ(login->caller.user, "appattempt_1795310003435_0002_000001");
}

TEST_F(MasterService, LoginOfAnAttemptThatEndedIsRefused) {
  const auto login = make_master_login(context_)(
      recorded::bytes("0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01"));
  ASSERT_FALSE(login.has_value());
  EXPECT_EQ(login.error().message,
            "appattempt_1795310003435_0002_000001 not found in AMRMTokenSecretManager.");
}

TEST_F(MasterService, LoginWithAnUnknownKeyNamesIt) {
  rm_.reports.running = {kAttempt};
  const auto login = make_master_login(context_)(encode(AmrmIdentifier{kAttempt, 12}));
  ASSERT_FALSE(login.has_value());
  EXPECT_NE(login.error().message.find("key 12 is not known"), std::string::npos);
  EXPECT_EQ(login.error().code, ErrorCode::kUnauthenticated);
}

TEST_F(MasterService, TokensNameTheHostWhereAddressesAreOff) {
  ServiceOptions options = context_->options;
  options.use_ip = false;
  const TokenMaker tokens(
      std::make_shared<const Context>(Context{rm_.door(), clock_, hosts_, options}));
  EXPECT_EQ(tokens.service_of({"localhost", 41041}), "localhost:41041");
  EXPECT_EQ(TokenMaker(context_).service_of({"localhost", 41041}), "127.0.0.1:41041");
}

TEST_F(MasterService, LoginWithAnyBitFlippedProvesNothing) {
  rm_.reports.running = {kAttempt};
  const auto login = make_master_login(context_);
  const std::string good = recorded::bytes("0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01");
  const std::string password(login(good)->password.reveal_bytes());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto result = login(bad);
    if (result) {
      EXPECT_NE(result->password.reveal_bytes(), password) << bit;
    } else {
      EXPECT_EQ(result.error().code, ErrorCode::kUnauthenticated) << bit;
    }
  }
}

TEST_F(MasterService, SchedulerOfMemoryAloneSaysSoAsRecorded) {
  rm_.masters.registered.queue = QueuePath("root.default");
  rm_.masters.registered.maximum = Resources(6144, 4);
  rm_.masters.registered.counts_vcores = false;
  const auto got = parsed<pb::RegisterApplicationMasterResponseProto>(
      call_bytes(*service_, "registerApplicationMaster",
                 recorded::bytes(recorded::kRegisterMasterRequest), master_));
  pb::RegisterApplicationMasterResponseProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kRegisterMasterAnswer)));
  ASSERT_EQ(got.scheduler_resource_types_size(), expected.scheduler_resource_types_size());
  EXPECT_EQ(got.scheduler_resource_types(0), expected.scheduler_resource_types(0));
}

}  // namespace
}  // namespace heddle::compat::yarn
