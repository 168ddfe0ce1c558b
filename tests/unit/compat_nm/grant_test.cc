#include <gtest/gtest.h>

#include "compat/nm/requests.h"

namespace heddle::compat::node {
namespace {

door::ContainerGrant granted(const pb::LogAggregationContextProto& logs) {
  ContainerIdentifier identifier;
  identifier.log_aggregation_context = logs.SerializeAsString();
  return grant_of(identifier);
}

TEST(ContainerGrants, TakeTheLogPatternsOfTheToken) {
  pb::LogAggregationContextProto logs;
  logs.set_include_pattern("std.*");
  logs.set_exclude_pattern("secret");
  logs.set_rolled_logs_include_pattern("app\\.log\\.");
  logs.set_rolled_logs_exclude_pattern("\\.gz$");
  const auto grant = granted(logs);
  EXPECT_EQ(grant.log_include_pattern, "std.*");
  EXPECT_EQ(grant.log_exclude_pattern, "secret");
  EXPECT_EQ(grant.log_rolled_include_pattern, "app\\.log\\.");
  EXPECT_EQ(grant.log_rolled_exclude_pattern, "\\.gz$");
}

TEST(ContainerGrants, AnExcludePatternForRolledLogsThatIsNotGivenExcludesNone) {
  pb::LogAggregationContextProto logs;
  logs.set_rolled_logs_include_pattern("app\\.log\\.");
  EXPECT_EQ(granted(logs).log_rolled_exclude_pattern, "");
  EXPECT_EQ(granted({}).log_rolled_include_pattern, "");
}

}  // namespace
}  // namespace heddle::compat::node
