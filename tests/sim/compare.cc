#include "tests/sim/compare.h"

#include <fmt/core.h>

#include <initializer_list>

namespace heddle::naive {

std::string difference(std::string_view what, const Resources& ours, const Resources& naive) {
  if (ours == naive) return "";
  return fmt::format("{}: {}, by the rules {}", what, to_string(ours), to_string(naive));
}
std::string difference(std::string_view what, std::int64_t ours, std::int64_t naive) {
  if (ours == naive) return "";
  return fmt::format("{}: {}, by the rules {}", what, ours, naive);
}
namespace {

/// Of two texts the first that says something.
std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "";
}

std::string compare_parts(const Queue& queue, const queues::QueueReport& ours,
                          const Scheduler& naive) {
  Resources used;
  Resources pending;
  for (const auto& [label, part] : queue.parts) {
    used += part.used;
    pending += part.pending;
  }
  std::string fault =
      first_of({difference("used", ours.used, used), difference("pending", ours.pending, pending)});
  for (const queues::PartitionUse& use : ours.partitions) {
    if (!fault.empty()) break;
    const auto found = queue.parts.find(use.label);
    if (found == queue.parts.end()) return "partition " + use.label + " is not known";
    const Part& part = found->second;
    fault = first_of({difference("guaranteed", use.guaranteed, part.guaranteed),
                      difference("maximum", use.maximum, part.maximum),
                      difference("used", use.used, part.used),
                      difference("pending", use.pending, part.pending)});
    if (fault.empty() && ours.is_leaf) {
      fault =
          first_of({difference("used by AMs", use.am_used, part.am_used),
                    difference("limit of AMs", use.am_limit, naive.am_limit_of(queue, use.label))});
    }
    if (!fault.empty()) return fmt::format("partition \"{}\" {}", use.label, fault);
  }
  return fault;
}

std::string compare_leaf(const Queue& queue, const queues::QueueReport& ours,
                         const Scheduler& naive) {
  const std::string& path = queue.path();
  const auto users = naive.users_of(path);
  std::string fault =
      first_of({difference("active applications", ours.active_apps, queue.active_apps),
                difference("users", static_cast<std::int64_t>(ours.users.size()),
                           static_cast<std::int64_t>(users.size()))});
  for (const queues::UserReport& user : ours.users) {
    if (!fault.empty()) break;
    const UserLimits limits = naive.limits_of(queue, user.name.value(), "");
    const std::string what = "user " + user.name.value() + " ";
    Resources used;
    for (const Label& label : naive.labels())
      used += naive.user_used(path, user.name.value(), label);
    fault = first_of({difference(what + "used", user.used, used),
                      difference(what + "limit", user.limit, limits.limit),
                      difference(what + "limit of AMs", user.am_limit, limits.am_limit)});
  }
  return fault;
}

}  // namespace

std::string compare(const queues::Scheduler& all, const Scheduler& naive) {
  for (const Queue& queue : naive.queues()) {
    const auto ours = all.queue(queue.spec->path);
    if (!ours) return queue.path() + " is not there";
    const std::string fault = first_of(
        {compare_parts(queue, *ours, naive),
         difference("containers", ours->containers, queue.containers),
         difference("pending containers", ours->pending_containers, queue.pending_containers),
         difference("applications", ours->apps, queue.apps),
         ours->is_leaf ? compare_leaf(queue, *ours, naive) : ""});
    if (!fault.empty()) return queue.path() + " " + fault;
  }
  for (const auto& [id, app] : naive.apps()) {
    const auto ours = all.app(id);
    if (!ours) return to_string(id) + " is not there";
    const std::string fault =
        first_of({difference("used", ours->used, app.all_used()),
                  difference("pending", ours->pending, app.all_pending()),
                  difference("containers", ours->containers, app.containers),
                  difference("active", ours->active ? 1 : 0, app.active ? 1 : 0),
                  ours->queue.value() == app.leaf ? "" : "it is in another queue"});
    if (!fault.empty()) return to_string(id) + " " + fault;
  }
  for (const Node& node : naive.nodes()) {
    const auto ours = all.node(node.id);
    if (!ours) return to_string(node.id) + " is not there";
    const std::string fault = first_of(
        {difference("total", ours->total, node.total), difference("used", ours->used, node.used),
         difference("containers", ours->containers, node.containers)});
    if (!fault.empty()) return to_string(node.id) + " " + fault;
  }
  return difference("nodes", static_cast<std::int64_t>(all.node_count()),
                    static_cast<std::int64_t>(naive.nodes().size()));
}

}  // namespace heddle::naive
