#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "queues/rules/locate.h"
#include "queues/rules/nearest.h"
#include "queues/rules/parse_internal.h"
#include "queues/rules/variables.h"

namespace heddle::queues::rules {
namespace {

/// What looks like a variable and is none; "" = nothing does.
std::string odd_variables(const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (part.find('%') == std::string::npos || is_variable(part)) continue;
    if (part.starts_with('%') && part.find('%', 1) == std::string::npos) {
      return fmt::format("\"{}\" is no variable{}", shortened(part),
                         did_you_mean(nearest_of(part, kVariables)));
    }
    return fmt::format("\"{}\" stays as it is: a variable has to be a whole part of the path",
                       shortened(part));
  }
  return "";
}

/// What is wrong with the parts before the first variable; "" = nothing.
std::string fault_of(const std::vector<std::string>& parts, const QueueView& queues) {
  const auto variable = std::ranges::find_if(parts, is_variable);
  const std::vector<std::string> fixed(parts.begin(), variable);
  if (std::ranges::any_of(fixed, &std::string::empty)) return "the path has an empty part";
  if (variable == parts.end()) return locate(queues, join(parts, "."), true).problem;
  if (fixed.empty()) return "";
  const auto root = queues.find(fixed.front());
  if (!root) return locate(queues, fixed.front(), true).problem;
  std::string above = root->path;
  for (std::size_t i = 1; i < fixed.size(); ++i) {
    const std::string path = above + "." + fixed[i];
    if (const auto queue = queues.find(path)) {
      above = queue->path;
      continue;
    }
    const auto parent = queues.find(above);
    const bool last = i + 1 == fixed.size();
    if (last && parent && parent->creatable_levels > 0) return "";
    return fmt::format(
        "queue \"{}\" does not exist, and no queue above it makes queues by itself{}",
        shortened(path), did_you_mean(queues.nearest(path)));
  }
  const auto queue = queues.find(above);
  if (queue && queue->kind == QueueKind::kLeaf) {
    return fmt::format("queue \"{}\" is a leaf and has no queues below it", shortened(above));
  }
  return "";
}

void check_default(const Rule& rule, const std::string& where, const QueueView& queues,
                   RuleSet& rules) {
  if (rule.target.find('%') != std::string::npos) return;
  const Located located = locate(queues, rule.target, true);
  if (located.problem.empty() && !located.missing) return;
  rules.warnings.push_back(fmt::format(
      "{}the default queue \"{}\": {}", where, shortened(rule.target),
      located.missing ? "does not exist, and a default queue is never made" : located.problem));
}

}  // namespace

void check_target(const Rule& rule, std::string_view setting, const QueueView& queues,
                  RuleSet& rules, Faults& faults) {
  const std::string where = place_of(setting, rule.number);
  if (rule.action == Action::kSetDefault) return check_default(rule, where, queues, rules);
  // Without a target there is a fault already.
  if (rule.action != Action::kPlace || rule.target.empty()) return;
  const auto parts = split_path(rule.target);
  const std::string fault = fault_of(parts, queues);
  const std::string odd = odd_variables(parts);
  const std::string target = shortened(rule.target);
  if (!fault.empty()) {
    faults.add(fmt::format("{}queue path \"{}\": {}{}{}", where, target, fault,
                           odd.empty() ? "" : "; ", odd));
  } else if (!odd.empty()) {
    rules.warnings.push_back(fmt::format("{}queue path \"{}\": {}", where, target, odd));
  } else if (std::ranges::any_of(parts, &std::string::empty)) {
    rules.warnings.push_back(
        fmt::format("{}queue path \"{}\" has an empty part: it leads nowhere", where, target));
  }
}

}  // namespace heddle::queues::rules
