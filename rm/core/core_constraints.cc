// Scheduling requests and placement constraints, between ApplicationMasters and the scheduler.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kHandlerName = "yarn.resourcemanager.placement-constraints.handler";

}  // namespace

Result<void> Core::check_constraints_on(const AttemptId& id, std::string_view what,
                                        std::string_view where, std::string_view operation) const {
  if (options_.constraint_handler != ConstraintHandler::kDisabled) return {};
  return fail(ErrorCode::kUnsupported,
              fmt::format("Found non empty {} in {} for application={}, but the configured {} "
                          "cannot handle placement constraints. Rejecting this {} operation",
                          what, where, to_string(id), kHandlerName, operation));
}

/// Only those for one tag count, as in Hadoop: what several tags ask for together, nobody looks up.
Result<void> Core::take_app_constraints(const AttemptId& id, const RegisterMaster& request) {
  if (request.constraints.empty()) return {};
  RETURN_IF_ERROR(check_constraints_on(id, "placement constraints map",
                                       "RegisterApplicationMasterRequest",
                                       "registerApplicationMaster"));
  std::map<std::string, queues::ConstraintPtr, std::less<>> by_tag;
  for (const auto& [tags, constraint] : request.constraints) {
    RETURN_IF_ERROR(queues::check(*constraint));
    if (tags.size() == 1) by_tag.emplace(tags.front(), constraint);
  }
  scheduler_.set_app_constraints(id.app, std::move(by_tag));
  return {};
}

Result<void> Core::check_tagged_asks(const App& app, const Allocate& request) const {
  if (request.scheduling_requests.empty()) return {};
  RETURN_IF_ERROR(
      check_constraints_on(app.current()->id, "SchedulingRequest", "AllocateRequest", "allocate"));
  const queues::QueueRules* queue = scheduler_.rules(QueuePath(app.queue));
  const Resources& maximum = queue != nullptr ? queue->maximum_allocation : options_.limits.maximum;
  for (const queues::TaggedAsk& ask : request.scheduling_requests) {
    RETURN_IF_ERROR(check_size(ask.capability, maximum));
    if (!ask.constraint) continue;
    if (const auto label = queues::partition_of(*ask.constraint)) {
      RETURN_IF_ERROR(check_label(queue, std::string(queues::kAnyNode), *label));
    }
  }
  return {};
}

Result<void> Core::take_tagged_asks(App& app, Attempt& attempt, const Allocate& request) {
  if (request.scheduling_requests.empty()) return {};
  const bool adds = options_.constraint_handler == ConstraintHandler::kProcessor;
  if (auto taken =
          scheduler_.update_tagged_asks(attempt.id, request.scheduling_requests,
                                        adds ? queues::Repeat::kAdds : queues::Repeat::kReplaces);
      !taken) {
    return fail(std::move(taken).error());
  }
  attempt.has_tagged_asks = true;
  queues_changed_ = true;
  touch_use(app);
  return {};
}

/// After the scheduler has run: one try is over for what still waits.
void Core::give_up_tagged_asks(App& app, Attempt& attempt) {
  if (options_.constraint_handler != ConstraintHandler::kProcessor) return;
  attempt.given_up = scheduler_.give_up_tagged(attempt.id, options_.constraint_tries);
  if (attempt.given_up.empty()) return;
  queues_changed_ = true;
  touch_use(app);
}

void Core::tell_attributes(const NodeId& node) {
  queues::NodeAttributes out;
  for (const NodeAttribute& one : attributes_.of(node.host))
    out.emplace(one.prefix + "/" + one.name, one.value);
  scheduler_.set_node_attributes(node, std::move(out));
}

/// A later part of some constraint becomes good enough with time.
void Core::watch_constraints(const Now& now) {
  using std::chrono::milliseconds;
  const auto due_ms = scheduler_.next_part_due_ms();
  if (!due_ms) return;
  constexpr std::int64_t kLongestMs = std::int64_t{24} * 3600 * 1000;  // then it is looked at again
  const std::int64_t now_ms =
      std::chrono::duration_cast<milliseconds>(now.instant.since_zero).count();
  const std::int64_t left_ms = std::clamp<std::int64_t>(*due_ms - now_ms, 1, kLongestMs);
  const Instant at = now.instant + milliseconds(left_ms);
  if (constraints_due_ && *constraints_due_ <= at) return;
  arm(constraints_due_, {at, DeadlineKind::kConstraints, {}, {}});
}

}  // namespace heddle::rm
