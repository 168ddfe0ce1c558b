#include "queues/rules/priorities.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "queues/rules/nearest.h"
#include "queues/rules/parse_internal.h"

namespace heddle::queues::rules {
namespace {

constexpr std::string_view kName = "yarn.scheduler.capacity.workflow-priority-mappings";

}  // namespace

std::optional<std::int32_t> WorkflowPriorities::find(const std::set<std::string>& tags,
                                                     std::string_view queue) const {
  if (!enabled || by_queue.empty()) return std::nullopt;
  std::string workflow;
  for (const std::string& tag : tags) {
    if (tag.starts_with(tag_prefix)) workflow = tag.substr(tag_prefix.size());
  }
  if (workflow.empty()) return std::nullopt;
  while (queue.find('.') != std::string_view::npos) {
    const auto found = by_queue.find({std::string(queue), workflow});
    if (found != by_queue.end()) return found->second;
    queue = queue.substr(0, queue.rfind('.'));
  }
  return std::nullopt;
}

Result<WorkflowPriorities> parse_workflow_priorities(std::string_view text, bool enabled,
                                                     std::string tag_prefix,
                                                     const QueueView& queues) {
  WorkflowPriorities out;
  out.enabled = enabled;
  out.tag_prefix = std::move(tag_prefix);
  Faults faults;
  if (text.size() > kRuleTextMax) {
    faults.add(fmt::format("{}: has {} bytes; {} are the most", kName, text.size(), kRuleTextMax));
    return fail(faults.error());
  }
  std::string list{text};
  std::ranges::replace(list, '\n', ',');
  for (const std::string& piece : split_list(list)) {
    const auto parts = split_list(piece, ':');
    const auto priority = parts.size() == 3 ? parse_int(parts[2]) : std::nullopt;
    const auto fits = [](std::int64_t number) {
      return number >= std::numeric_limits<std::int32_t>::min() &&
             number <= std::numeric_limits<std::int32_t>::max();
    };
    if (!priority || !fits(*priority)) {
      faults.add(
          fmt::format("{}: Illegal workflow priority mapping \"{}\"; "
                      "workflow:queue:priority is needed, with a whole number",
                      kName, shortened(piece)));
      continue;
    }
    const auto queue = queues.find(parts[1]);
    if (!queue || queue->path != parts[1]) {
      out.warnings.push_back(fmt::format(
          "{}: \"{}\" has no effect: {} is the full path of no queue{}", kName, shortened(piece),
          shortened(parts[1]), did_you_mean(queue ? queue->path : queues.nearest(parts[1]))));
    }
    out.by_queue[{parts[1], to_lower(parts[0])}] = static_cast<std::int32_t>(*priority);
  }
  if (!faults.empty()) return fail(faults.error());
  return out;
}

}  // namespace heddle::queues::rules
