// Queues to place into, and rules in a few words.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "queues/rules/placement.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues::rules {

/// The tree, where nobody makes queues when they are needed.
class FrozenQueues final : public QueueView {
 public:
  explicit FrozenQueues(const QueueTree& tree) : tree_(tree) {}
  std::optional<KnownQueue> find(std::string_view name) const override { return tree_.find(name); }
  bool is_ambiguous(std::string_view name) const override { return tree_.is_ambiguous(name); }
  bool creates() const override { return false; }
  std::optional<std::string> nearest(std::string_view name) const override {
    return tree_.nearest(name);
  }

 private:
  const QueueTree& tree_;
};

inline Settings rule_queues() {
  return testlib::queue_settings(R"(
      root.default capacity=1w
      root.alpha capacity=1w
      root.users capacity=1w
      root.users.ann capacity=1w
      root.users.bob capacity=1w
      root.groups capacity=1w
      root.groups.staff capacity=1w
      root.groups.lab capacity=1w
      root.groups.lab.ann capacity=1w
      root.x capacity=1w
      root.x.twin capacity=1w
      root.y capacity=1w
      root.y.twin capacity=1w
      root.managed capacity=1w auto-create-child-queue.enabled=true
      root.flex capacity=1w auto-queue-creation-v2.enabled=true
      root.shallow capacity=1w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.maximum-queue-depth=1)");
}

using Named = std::vector<std::pair<std::string, std::string>>;

inline Settings with(Settings settings, const Named& values) {
  for (const auto& [name, value] : values)
    settings.set(name, {value, "test", false});
  return settings;
}

inline const std::string kCapacity = "yarn.scheduler.capacity.";

inline Named json(const std::string& rules) {
  return {{kCapacity + "mapping-rule-format", "json"},
          {kCapacity + "mapping-rule-json", "{\"rules\": [" + rules + "]}"}};
}
inline Named legacy(const std::string& mappings) {
  return {{kCapacity + "queue-mappings", mappings}};
}

/// "" when the rules are taken, else what is wrong with them.
inline std::string refusal(const Named& values) {
  const auto placement = parse_placement(with(rule_queues(), values));
  if (placement) return "";
  EXPECT_EQ(placement.error().code, ErrorCode::kInvalidArgument);
  return placement.error().message;
}

inline Placement taken(const Named& values) {
  auto placement = parse_placement(with(rule_queues(), values));
  EXPECT_TRUE(placement) << placement.error().message;
  return placement ? *std::move(placement) : Placement{};
}

/// Where it goes: a path, "rejected", or "as asked".
inline std::string answer(const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::kPlaced: return decision.queue + (decision.create ? " (made)" : "");
    case Outcome::kRejected: return "rejected";
    case Outcome::kAsRequested: return "as asked";
  }
  return "";
}

inline Request by(std::string user, std::vector<std::string> groups = {},
                  std::string application = "pi", std::string queue = "default") {
  return {std::move(user), std::move(groups), std::move(queue), std::move(application)};
}

inline std::string placed(const Named& values, const Request& request, bool making = false) {
  const Placement placement = taken(values);
  if (making) return answer(place(placement.rules, request, placement.queues));
  return answer(place(placement.rules, request, FrozenQueues(placement.queues)));
}

/// One line a step: rule number, whether it matched, what it came to, what followed.
inline std::vector<std::string> path_of(const Named& values, const Request& request) {
  const Placement placement = taken(values);
  std::vector<Step> steps;
  place(placement.rules, request, placement.queues, &steps);
  std::vector<std::string> lines;
  for (const Step& step : steps) {
    lines.push_back(std::to_string(step.rule) + " " + step.text + " | " + step.match + " | " +
                    step.expanded + " | " + step.effect);
  }
  return lines;
}

}  // namespace heddle::queues::rules
