// Placement rules read and checked. Pure: files are read elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "queues/rules/queue_view.h"
#include "queues/rules/rule.h"

namespace heddle::queues::rules {

/// The settings that make the rules, as written.
struct RuleTexts {
  std::string engines;       // yarn.scheduler.queue-placement-rules
  std::string mappings;      // yarn.scheduler.capacity.queue-mappings
  std::string app_mappings;  // yarn.scheduler.queue-placement-rules.app-name
  std::string format;        // yarn.scheduler.capacity.mapping-rule-format; "" = legacy
  std::string json;          // yarn.scheduler.capacity.mapping-rule-json
  std::string json_file;     // yarn.scheduler.capacity.mapping-rule-json-file: its path
  std::string json_file_text;
  bool override_requested = false;
};

inline constexpr std::size_t kRuleTextMax = 1 << 20;  // bytes of each of them
inline constexpr std::size_t kRulesMax = 10'000;

/// kInvalidArgument with all faults, one a line, each with its setting, its rule's number, the
/// field, and what was most likely meant. A target that can never be used is a fault too.
Result<RuleSet> parse_rules(const RuleTexts& texts, const QueueView& queues);

}  // namespace heddle::queues::rules
