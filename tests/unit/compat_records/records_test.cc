#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>

#include "base/text.h"
#include "compat/records/exceptions.h"
#include "compat/records/host_resolver.h"
#include "compat/records/ids.h"
#include "compat/records/launch_context.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"
#include "compat/records/urls.h"

namespace heddle::compat {
namespace {

std::string bytes(std::string_view hex) {
  return hex_decode(hex).value();
}
security::MasterKey key(std::int32_t id, std::string_view hex) {
  return {id, security::Secret(bytes(hex))};
}
const AttemptId kAttempt{{1795310003435, 2}, 1};

constexpr std::string_view kContainerIdentifier =
    "0a11120d0a09080210ebc9c286a03410011801120f6c6f63616c686f73743a34313034311a05616c696365222b08"
    "800210011a140a096d656d6f72792d6d621080021a024d6920001a0e0a0676636f72657310011a00200028c6aee8"
    "86a03430c2a7d5a20338ebc9c286a0344202080548d9dbc386a0345a0060026801700078ffffffffffffffffff01";

TEST(TokenIdentifiers, AmrmTokenIsTheRecordedOne) {
  const std::string identifier = encode(AmrmIdentifier{kAttempt, -1710965483});
  EXPECT_EQ(hex_encode(identifier), "0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01");
  const auto token = sign(kAmrmTokenKind, identifier, key(-1710965483, "06a1a0fbaf0186a0"), "");
  EXPECT_EQ(hex_encode(token.password.reveal_bytes()), "ddddee08a96da35cd293f5328d777bc20650ec59");
}

TEST(TokenIdentifiers, NmTokenIsTheRecordedOne) {
  const std::string identifier =
      encode(NmIdentifier{kAttempt, {"localhost", 41041}, "alice", -1741119272});
  EXPECT_EQ(hex_encode(identifier),
            "0a0d0a09080210ebc9c286a0341001120f0a096c6f63616c686f737410d1c0021a05616c69636520d8c1e2"
            "c1f9ffffffff01");
  const auto token =
      sign(kNmTokenKind, identifier, key(-1741119272, "36dccb515fbe60a2"), "127.0.0.1:41041");
  EXPECT_EQ(hex_encode(token.password.reveal_bytes()), "1e79fd77bfb0863bbcd81214832ef039c7a8968c");
}

TEST(TokenIdentifiers, ContainerTokenIsTheRecordedOne) {
  ContainerIdentifier identifier;
  identifier.container = {kAttempt, 1};
  identifier.node_address = "localhost:41041";
  identifier.user = "alice";
  identifier.resources = Resources(256, 1);
  identifier.expiry = {1795310622534};
  identifier.key_id = 878007234;
  identifier.rm_identifier = 1795310003435;
  identifier.priority = 5;
  identifier.created = {1795310022105};
  EXPECT_EQ(hex_encode(encode(identifier, ResourceTypes{})), kContainerIdentifier);
}

TEST(TokenIdentifiers, RecordedContainerTokenDecodes) {
  const auto identifier = decode_container_identifier(bytes(kContainerIdentifier), ResourceTypes{});
  ASSERT_TRUE(identifier.has_value());
  EXPECT_EQ(to_string(identifier->container), "container_1795310003435_0002_01_000001");
  EXPECT_EQ(identifier->node_address, "localhost:41041");
  EXPECT_EQ(identifier->resources, Resources(256, 1));
  EXPECT_EQ(identifier->key_id, 878007234);
  EXPECT_FALSE(identifier->is_master);
}

TEST(TokenIdentifiers, EpochOfTheRecordedContainerIsKept) {
  const auto identifier = decode_container_identifier(
      bytes("0a17120d0a09080710ebc9c286a0341001188380808080a004121468312e6578616d706c652e636f6d3a34"
            "353435341a05616c696365222b08800810011a140a096d656d6f72792d6d621080081a024d6920001a0e0a"
            "0676636f72657310011a00200028c6aee886a034300d38ebc9c286a0344202081448d9dbc386a0345a0060"
            "016801700078ffffffffffffffffff01"),
      ResourceTypes{});
  ASSERT_TRUE(identifier.has_value());
  EXPECT_EQ(to_string(identifier->container), "container_e17_1795310003435_0007_01_000003");
  EXPECT_TRUE(identifier->is_master);
}

TEST(TokenIdentifiers, BrokenIdentifierIsAnInvalidToken) {
  for (const std::string& broken : {std::string("\xff\xff\xff"), std::string(), bytes("0a02")}) {
    const auto amrm = decode_amrm_identifier(broken);
    ASSERT_FALSE(amrm.has_value());
    EXPECT_EQ(master_exception(amrm.error()), java::kInvalidToken);
    EXPECT_FALSE(decode_nm_identifier(broken).has_value());
    EXPECT_FALSE(decode_container_identifier(broken, ResourceTypes{}).has_value());
  }
}

TEST(TokenRecord, IsTheRecordedMessage) {
  const security::Token token{bytes("0a0d0a09080710ebc9c286a03410011005"),
                              security::Secret(bytes("df0905ec5e26de5d4acead40c7a742f6387c3bbc")),
                              std::string(kAmrmTokenKind), "10.0.0.5:8030"};
  pbc::TokenProto wire;
  to_wire(token, &wire);
  EXPECT_EQ(hex_encode(wire.SerializeAsString()),
            "0a110a0d0a09080710ebc9c286a034100110051214df0905ec5e26de5d4acead40c7a742f6387c3bbc1a10"
            "5941524e5f414d5f524d5f544f4b454e220d31302e302e302e353a38303330");
}

ResourceTypes with_gpu() {
  ResourceTypes types;
  EXPECT_TRUE(types.add({"yarn.io/gpu", "", 0, 0}).has_value());
  return types;
}

TEST(ResourceRecords, UnitsAreConverted) {
  pb::ResourceProto wire;
  auto* entry = wire.add_resource_value_map();
  entry->set_key("memory-mb");
  entry->set_units("Gi");
  entry->set_value(2);
  EXPECT_EQ(resources_from_wire(wire, ResourceTypes{}).value(), Resources(2048, 0));
}

TEST(ResourceRecords, UnknownTypeListsTheKnownOnes) {
  pb::ResourceProto wire;
  wire.add_resource_value_map()->set_key("yarn.io/gpu2");
  const auto result = resources_from_wire(wire, with_gpu());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(client_exception(result.error()), java::kInvalidResourceRequest);
  EXPECT_NE(result.error().message.find("memory-mb, vcores, yarn.io/gpu"), std::string::npos);
  EXPECT_TRUE(resources_from_wire(wire, with_gpu(), UnknownTypes::kIgnore).has_value());
}

TEST(ResourceRecords, UnknownUnitAndNegativeAmountsAreRefused) {
  pb::ResourceProto wire;
  auto* entry = wire.add_resource_value_map();
  entry->set_key("yarn.io/gpu");
  entry->set_units("Qi");
  EXPECT_FALSE(resources_from_wire(wire, with_gpu()).has_value());
  pb::ResourceProto negative;
  negative.set_memory(-1);
  const auto result = resources_from_wire(negative, ResourceTypes{});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(client_exception(result.error()), java::kInvalidResourceRequest);
}

TEST(Urls, AreTextAndBack) {
  for (const std::string url :
       {"hdfs://nn:8020/a/b", "file:/grid/0/x", "/only/a/path", "s3a://user@bucket/key"}) {
    pb::URLProto wire;
    url_to_wire(url, &wire);
    EXPECT_EQ(url_from_wire(wire).value(), url);
  }
}

TEST(Urls, PartsThatChangeTheMeaningAreRefused) {
  pb::URLProto wire;
  EXPECT_FALSE(url_from_wire(wire).has_value()) << "no path";
  wire.set_file("/a");
  wire.set_scheme("hdfs");
  wire.set_host("nn/evil");
  EXPECT_FALSE(url_from_wire(wire).has_value());
  wire.set_host("nn");
  wire.set_file(std::string("/a\0b", 4));
  EXPECT_FALSE(url_from_wire(wire).has_value());
}

struct BadLaunch {
  std::string what;
  std::function<void(pb::ContainerLaunchContextProto&)> make;
  ErrorCode code;
};

TEST(LaunchContexts, HostileOnesAreRefused) {
  const auto variable = [](std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](pb::ContainerLaunchContextProto& to) {
      auto* entry = to.add_environment();
      entry->set_key(name);
      entry->set_value(value);
    };
  };
  const std::vector<BadLaunch> cases = {
      {"'=' in a name", variable("A=B", "x"), ErrorCode::kInvalidArgument},
      {"no name", variable("", "x"), ErrorCode::kInvalidArgument},
      {"NUL in a name", variable(std::string("A\0", 2), "x"), ErrorCode::kInvalidArgument},
      {"NUL in a value", variable("A", std::string("x\0y", 3)), ErrorCode::kInvalidArgument},
      {"10 MiB", [](auto& to) { to.add_command(std::string(10U << 20U, 'x')); },
       ErrorCode::kLimitExceeded},
      {"10,000 variables",
       [](auto& to) {
         for (int i = 0; i < 10'000; ++i)
           to.add_environment()->set_key("A" + std::to_string(i));
       },
       ErrorCode::kLimitExceeded},
      {"100,000 local resources",
       [](auto& to) {
         for (int i = 0; i < 100'000; ++i)
           to.add_localresources()->set_key("k");
       },
       ErrorCode::kLimitExceeded},
      {"broken credentials", [](auto& to) { to.set_tokens("HDTX"); }, ErrorCode::kInvalidArgument},
      {"resource without URL", [](auto& to) { to.add_localresources()->set_key("k"); },
       ErrorCode::kInvalidArgument},
  };
  for (const BadLaunch& bad : cases) {
    pb::ContainerLaunchContextProto wire;
    bad.make(wire);
    const auto result = check_launch_context(wire);
    ASSERT_FALSE(result.has_value()) << bad.what;
    EXPECT_EQ(result.error().code, bad.code) << bad.what << ": " << result.error().message;
    EXPECT_LT(result.error().message.size(), 400U) << bad.what;
  }
}

TEST(Ids, IncompleteOrNegativeOnesAreRefused) {
  pb::ApplicationIdProto app;
  EXPECT_FALSE(app_id_from_wire(app).has_value());
  app.set_id(-1);
  app.set_cluster_timestamp(1);
  EXPECT_FALSE(app_id_from_wire(app).has_value());
  EXPECT_FALSE(container_id_from_wire({}).has_value());
  pb::NodeIdProto node;
  node.set_host("a b");
  EXPECT_FALSE(node_id_from_wire(node).has_value());
  node.set_host("a");
  node.set_port(70000);
  EXPECT_FALSE(node_id_from_wire(node).has_value());
}

TEST(Exceptions, EveryErrorHasAClassInEveryService) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    for (int subject = 0; subject <= static_cast<int>(ErrorSubject::kToken); ++subject) {
      const Error error{static_cast<ErrorCode>(code), "m", static_cast<ErrorSubject>(subject)};
      for (auto* table : {client_exception, master_exception, tracker_exception, admin_exception,
                          ha_exception, node_exception}) {
        EXPECT_FALSE(table(error).empty());
      }
    }
  }
}

TEST(Exceptions, AmsSeeTheClassesTheyActOn) {
  const auto of = [](ErrorCode code, ErrorSubject subject) {
    return master_exception({code, "m", subject});
  };
  EXPECT_EQ(of(ErrorCode::kWrongState, ErrorSubject::kRegistration), java::kMasterNotRegistered);
  EXPECT_EQ(of(ErrorCode::kAlreadyExists, ErrorSubject::kRegistration),
            java::kInvalidMasterRequest);
  EXPECT_EQ(of(ErrorCode::kInvalidArgument, ErrorSubject::kResponseId),
            java::kInvalidMasterRequest);
  EXPECT_EQ(of(ErrorCode::kNotFound, ErrorSubject::kAttempt), java::kAttemptNotFound);
  EXPECT_EQ(of(ErrorCode::kInvalidArgument, ErrorSubject::kRelease), java::kInvalidRelease);
  EXPECT_EQ(of(ErrorCode::kInvalidArgument, ErrorSubject::kBlacklist), java::kInvalidBlacklist);
}

TEST(HostResolver, RemembersAddressesAndFallsBackToTheConnection) {
  HostResolver hosts([](const std::string& host) -> std::optional<std::string> {
    if (host == "n1") return "10.0.0.1";
    return std::nullopt;
  });
  const auto resolve = [&hosts](const std::string& host) {
    std::promise<void> done;
    hosts.resolve(host, "10.9.9.9", [&done] { done.set_value(); });
    done.get_future().wait();
    return hosts.known(host);
  };
  EXPECT_EQ(hosts.known("n1"), std::nullopt);
  EXPECT_EQ(resolve("n1"), "10.0.0.1");
  EXPECT_EQ(resolve("nosuch"), "10.9.9.9");
  EXPECT_EQ(resolve("10.1.2.3"), "10.1.2.3");
}

TEST(HostResolver, HostWithASilentNameServerHoldsUpNoOther) {
  std::promise<void> server_answers;
  HostResolver hosts([&](const std::string& host) -> std::optional<std::string> {
    if (host == "silent") server_answers.get_future().wait();
    return "10.0.0.1";
  });
  std::promise<void> silent, other;
  hosts.resolve("silent", "10.9.9.9", [&] { silent.set_value(); });
  hosts.resolve("other", "10.9.9.9", [&] { other.set_value(); });
  other.get_future().wait();
  EXPECT_EQ(hosts.known("silent"), std::nullopt);
  server_answers.set_value();
  silent.get_future().wait();
  EXPECT_EQ(hosts.known("silent"), "10.0.0.1");
}

}  // namespace
}  // namespace heddle::compat
