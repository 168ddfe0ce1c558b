// What the parts of the parser share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "queues/rules/parse.h"

namespace heddle::queues::rules {

inline constexpr std::string_view kEnginesName = "yarn.scheduler.queue-placement-rules";
inline constexpr std::string_view kMappingsName = "yarn.scheduler.capacity.queue-mappings";
inline constexpr std::string_view kAppMappingsName =
    "yarn.scheduler.queue-placement-rules.app-name";
inline constexpr std::string_view kFormatName = "yarn.scheduler.capacity.mapping-rule-format";
inline constexpr std::string_view kJsonName = "yarn.scheduler.capacity.mapping-rule-json";
inline constexpr std::string_view kJsonFileName = "yarn.scheduler.capacity.mapping-rule-json-file";

/// Gathers what is wrong. Beyond the limit faults are counted only.
class Faults {
 public:
  void add(std::string text);
  bool full() const { return count_ >= kMax; }
  bool empty() const { return count_ == 0; }
  Error error() const;

 private:
  static constexpr std::size_t kMax = 100;
  std::vector<std::string> texts_;
  std::size_t count_ = 0;
};

/// "<setting>: rule <number>: "
std::string place_of(std::string_view setting, std::size_t number);

/// The rules of a JSON text; `setting` names it in faults.
void parse_json_rules(std::string_view text, std::string_view setting, RuleSet& rules,
                      Faults& faults);

/// Whether the rule's target can ever be used with these queues: Hadoop refuses a configuration
/// where it cannot.
void check_target(const Rule& rule, std::string_view setting, const QueueView& queues,
                  RuleSet& rules, Faults& faults);

}  // namespace heddle::queues::rules
