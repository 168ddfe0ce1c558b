// Asks with tags and constraints, in a few words.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "queues/tagged_ask.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {

inline ConstraintPtr constraint(std::string_view text) {
  if (text.empty()) return nullptr;
  auto out = parse_constraint(text);
  EXPECT_TRUE(out) << (out ? "" : out.error().message);
  return out ? std::make_shared<const Constraint>(*std::move(out)) : nullptr;
}

inline TaggedAsk tagged(std::int32_t count, std::vector<std::string> tags, std::string_view text,
                        std::int64_t id = 1, std::string_view size = "1GB 1c") {
  TaggedAsk ask;
  ask.priority = 1;
  ask.request_id = id;
  ask.capability = testlib::sizes(size);
  ask.num_allocations = count;
  ask.tags = std::move(tags);
  ask.constraint = constraint(text);
  ask.asked = std::make_shared<const std::string>("as asked");
  return ask;
}

inline Result<void> send(testlib::Cluster& cluster, const AppId& app, const TaggedAsk& ask,
                         Repeat repeat = Repeat::kAdds) {
  return cluster.scheduler.update_tagged_asks(testlib::first_attempt(app), {&ask, 1}, repeat);
}

}  // namespace heddle::queues
