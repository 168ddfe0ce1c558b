#include "base/daemon/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace heddle::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kAddress = "yarn.nodemanager.address";
constexpr std::string_view kBindHost = "yarn.nodemanager.bind-host";

Settings settings(const std::map<std::string, std::string>& values) {
  Settings out;
  for (const auto& [name, value] : values)
    out.set(name, {value, "yarn-site.xml:1", false});
  return out;
}

std::string advertised(const std::map<std::string, std::string>& values) {
  const auto address = advertised_address(settings(values), kAddress, kBindHost, 8041);
  return address ? to_string(*address) : address.error().message;
}

TEST(AdvertisedAddress, IsTheConfiguredOneWhereAHostIsNamed) {
  EXPECT_EQ(advertised({{"yarn.nodemanager.address", "node7:0"}}), "node7:0");
  EXPECT_EQ(advertised({{"yarn.nodemanager.address", "node7:45454"},
                        {"yarn.nodemanager.bind-host", "0.0.0.0"},
                        {"heddle.security.allow-insecure-network", "true"}}),
            "node7:45454");
}

TEST(AdvertisedAddress, OfAllInterfacesIsLocalhostWhileOnlyLoopbackIsListenedOn) {
  EXPECT_EQ(advertised({{"yarn.nodemanager.address", "0.0.0.0:0"}}), "localhost:0");
  EXPECT_EQ(advertised({{"yarn.nodemanager.address", "0.0.0.0:0"},
                        {"yarn.nodemanager.bind-host", "127.0.0.1"},
                        {"heddle.security.allow-insecure-network", "true"}}),
            "localhost:0");
}

TEST(AdvertisedAddress, OfAllInterfacesIsTheMachinesNameForOtherMachines) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  const std::string address = advertised({{"yarn.nodemanager.address", "0.0.0.0:45454"},
                                          {"heddle.security.allow-insecure-network", "true"}});
  EXPECT_THAT(address, Not(StartsWith("0.0.0.0"))) << name.data();
  EXPECT_THAT(address, HasSubstr(":45454"));
  // Unless that is what the machine is called.
  const bool is_its_name = std::string_view(name.data()).starts_with("localhost");
  EXPECT_TRUE(is_its_name || !address.starts_with("localhost")) << name.data() << " " << address;
}

TEST(ConnectAddress, OfAllInterfacesIsThisMachine) {
  const auto address =
      connect_address(settings({{"yarn.nodemanager.address", "0.0.0.0:8031"},
                                {"heddle.security.allow-insecure-network", "true"}}),
                      kAddress, 8041);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(to_string(*address), "localhost:8031");
}

TEST(ListenAddress, BeyondLoopbackIsRefusedUnlessAllowed) {
  for (const char* host : {"node7", "10.0.0.1", "127.example.org"}) {
    const auto address = listen_address(
        settings({{"yarn.nodemanager.address", std::string(host) + ":0"}}), kAddress, kBindHost, 0);
    ASSERT_FALSE(address.has_value()) << host;
    EXPECT_THAT(address.error().message, HasSubstr("heddle.security.allow-insecure-network"));
  }
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9"}) {
    EXPECT_TRUE(listen_address(settings({{"yarn.nodemanager.address", std::string(host) + ":0"}}),
                               kAddress, kBindHost, 0)
                    .has_value())
        << host;
  }
}

TEST(CheckServed, TakesTheServedValueInAnyCaseAndNamesAnyOther) {
  constexpr std::array kValues = {OnlyValue{"hadoop.security.authentication", "simple"}};
  EXPECT_TRUE(check_served(settings({}), kValues));
  EXPECT_TRUE(check_served(settings({{"hadoop.security.authentication", " SIMPLE "}}), kValues));
  const auto refused =
      check_served(settings({{"hadoop.security.authentication", "kerberos"}}), kValues);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("hadoop.security.authentication = 'kerberos'"));
}

TEST(DescriptorLimit, IsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit little = before;
  little.rlim_cur = std::min<rlim_t>(256, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &little), 0);
  raise_descriptor_limit();
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, std::min<rlim_t>(before.rlim_max, 1 << 20));
  EXPECT_EQ(after.rlim_max, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace heddle::daemon
