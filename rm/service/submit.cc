// The way of a submission to the core: first the rules say where it goes, then the queue there says
// whether it may.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "rm/service/resource_manager.h"

namespace heddle::rm {

namespace rules = queues::rules;

struct ResourceManager::Arrival {
  security::Caller caller;
  Submission submission;
  ReplyTo<void> reply;
  PlacementPtr placement;
  MadeQueuesPtr made = {};

  rules::LiveQueues queues() const { return {placement->queues, *made}; }
  rules::Request request(const std::string& user, const GroupNames& groups) const {
    return {user, groups, submission.queue, submission.name};
  }
  bool rules_decide() const { return placement->rules.decide(submission.queue); }
};

PlacementPtr ResourceManager::placement() const {
  const std::scoped_lock lock(placement_mutex_);
  return placement_;
}

MadeQueuesPtr ResourceManager::made_queues() const {
  const std::scoped_lock lock(placement_mutex_);
  return made_queues_;
}

void ResourceManager::take_made_queues() {
  const queues::Scheduler& scheduler = core_->scheduler();
  if (made_version_ == scheduler.made_version()) return;
  auto tree = std::make_shared<rules::QueueTree>();
  for (const QueuePath& path : scheduler.made_queues()) {
    const queues::QueueRules* queue = scheduler.rules(path);
    rules::KnownQueue facts{path.value(), rules::QueueKind::kLeaf};
    if (queue->auto_creation != queues::AutoCreation::kOff) {
      facts.kind = rules::QueueKind::kParent;
      std::string above = path.value();
      int distance = 0;
      for (; queue->origin != queues::Origin::kListed; ++distance) {
        above.resize(above.rfind('.'));
        queue = scheduler.rules(QueuePath(above));
      }
      const int most = queue->auto_parent ? queue->auto_parent->depth_max : 0;
      facts.creatable_levels = std::max(most - distance, 0);
    }
    tree->add(std::move(facts));
  }
  totals_due_ = true;  // who may submit there is judged by the queues that are shown
  const std::scoped_lock lock(placement_mutex_);
  made_version_ = scheduler.made_version();
  made_queues_ = std::move(tree);
}

void ResourceManager::take_placement() {
  take_made_queues();
  const PlacementPtr& in_force = core_->queue_config().placement;
  if (placement_ == in_force) return;
  const std::scoped_lock lock(placement_mutex_);
  placement_ = in_force;
}

void ResourceManager::submit(const security::Caller& caller, Submission submission,
                             ReplyTo<void> reply) {
  if (caller.user.empty()) {
    return reply(fail(ErrorCode::kUnauthenticated, "the connection names no user to submit as"));
  }
  submission.placed = {};
  // A retry is the same submission wherever rules would put it now; the core compares what it asks.
  const AppReportPtr known = board_.app(submission.id);
  if (known != nullptr) submission.placed.queue = known->queue;
  const auto arrival = std::make_shared<Arrival>(
      Arrival{caller, std::move(submission), std::move(reply), placement(), made_queues()});
  if (known != nullptr || arrival->placement == nullptr) {
    return hand_in(caller, std::move(arrival->submission), std::move(arrival->reply));
  }
  place(arrival);
}

void ResourceManager::with_groups(const std::shared_ptr<Arrival>& arrival, const std::string& user,
                                  bool needed, std::function<void(const GroupNames&)> next) {
  if (!needed) return next({});
  user_groups_->find(user, [arrival, next = std::move(next)](const Result<GroupNames>& groups) {
    if (!groups) return arrival->reply(fail(groups.error()));
    next(*groups);
  });
}

void ResourceManager::place(const std::shared_ptr<Arrival>& arrival) {
  const Submission& submission = arrival->submission;
  const auto tag_user = arrival->placement->tag_users.find(arrival->caller.user, submission.tags);
  if (!tag_user || !arrival->rules_decide()) return place_by_caller(arrival);
  with_groups(arrival, *tag_user, true,
              [this, arrival, user = *tag_user](const GroupNames& groups) {
                const rules::Placement& in_force = *arrival->placement;
                const auto decision =
                    rules::place(in_force.rules, arrival->request(user, groups), arrival->queues());
                if (decision.outcome == rules::Outcome::kRejected) return follow(arrival, decision);
                if (decision.outcome == rules::Outcome::kPlaced &&
                    queue_lets_submit(user, decision.queue, groups)) {
                  return follow(arrival, decision);
                }
                log::warn("{}: user {} of its tag {}; placed by user {}",
                          to_string(arrival->submission.id), shortened(user),
                          decision.outcome == rules::Outcome::kPlaced
                              ? "may not submit to " + decision.queue
                              : std::string("is placed by no rule"),
                          shortened(arrival->caller.user));
                place_by_caller(arrival);
              });
}

void ResourceManager::place_by_caller(const std::shared_ptr<Arrival>& arrival) {
  const bool needed = arrival->rules_decide() && arrival->placement->rules.needs_groups;
  with_groups(arrival, arrival->caller.user, needed, [this, arrival](const GroupNames& groups) {
    const rules::Placement& in_force = *arrival->placement;
    follow(arrival, rules::place(in_force.rules, arrival->request(arrival->caller.user, groups),
                                 arrival->queues()));
  });
}

void ResourceManager::follow(const std::shared_ptr<Arrival>& arrival,
                             const rules::Decision& decision) {
  Submission& submission = arrival->submission;
  if (decision.outcome == rules::Outcome::kRejected) {
    log::info("{} of user {} is refused: {}", to_string(submission.id),
              shortened(arrival->caller.user), decision.reason);
    // Why is for the log: rules may name queues and users that the submitter shall not know.
    return arrival->reply(
        fail(ErrorCode::kInvalidArgument,
             fmt::format("Application submission have been rejected by a mapping rule: rule {} of "
                         "the placement rules refuses {} of user {}; the log of the "
                         "ResourceManager says why, `heddle queue place` shows it",
                         decision.rule, to_string(submission.id), shortened(arrival->caller.user)),
             ErrorSubject::kQueue));
  }
  if (decision.outcome == rules::Outcome::kPlaced) submission.placed.queue = decision.queue;
  const rules::Placement& in_force = *arrival->placement;
  if (in_force.priorities.enabled) {
    const auto queue = arrival->queues().find(submission.target_queue());
    if (queue) submission.placed.priority = in_force.priorities.find(submission.tags, queue->path);
  }
  hand_in(arrival->caller, std::move(submission), std::move(arrival->reply));
}

}  // namespace heddle::rm
