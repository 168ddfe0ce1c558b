// Priorities of workflows: an application whose tags name a workflow gets that one's priority in a
// queue, whatever it was submitted with (yarn.scheduler.capacity.workflow-priority-mappings).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "queues/rules/queue_view.h"

namespace heddle::queues::rules {

struct WorkflowPriorities {
  bool enabled = false;    // workflow-priority-mappings-override.enable
  std::string tag_prefix;  // yarn.workflow-id.tag-prefix
  /// By full path of a queue and workflow (lower case, as tags are).
  std::map<std::pair<std::string, std::string>, std::int32_t> by_queue;
  std::vector<std::string> warnings;

  /// Of the nearest queue on the way from `queue` (a full path) up to, but without, root.
  std::optional<std::int32_t> find(const std::set<std::string>& tags, std::string_view queue) const;
};

/// "workflow:queue:priority,...". kInvalidArgument with all faults, one a line.
Result<WorkflowPriorities> parse_workflow_priorities(std::string_view text, bool enabled,
                                                     std::string tag_prefix,
                                                     const QueueView& queues);

}  // namespace heddle::queues::rules
