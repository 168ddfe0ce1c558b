// The queues of reservations: children of a plan queue that come, change and go with its plan.
// Whatever none of them is guaranteed belongs to its default child.
#include <algorithm>
#include <set>

#include "queues/config_plan.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {

bool Scheduler::Impl::set_share(Queue& queue, const PlanShare& share) {
  const QueueSpec next = reserved_queue(spec_of(*queue.parent), share);
  if (queue.spec.capacity == next.capacity &&
      queue.spec.maximum_capacity == next.maximum_capacity) {
    return false;
  }
  QueueSpec& spec = own_spec(queue);
  spec.capacity = next.capacity;
  spec.maximum_capacity = next.maximum_capacity;
  queue.spec = spec;
  return true;
}

void Scheduler::Impl::set_plan_shares(Queue& plan, std::span<const PlanShare> shares) {
  std::set<std::string_view> wanted;
  bool changed = false;
  for (const PlanShare& share : shares) {
    wanted.insert(share.name);
    const auto known =
        std::ranges::find(plan.children, share.name,
                          [](const auto& child) -> const std::string& { return child->spec.name; });
    if (known == plan.children.end()) {
      add_made(plan, reserved_queue(spec_of(plan), share));
      changed = true;
    } else if ((*known)->spec.origin == Origin::kReserved) {
      changed = set_share(**known, share) || changed;
    }
  }
  std::vector<Queue*> empty;
  for (const auto& child : plan.children) {
    if (child->spec.origin != Origin::kReserved || wanted.contains(child->spec.name)) continue;
    if (child->apps == 0) {
      empty.push_back(child.get());
    } else {
      changed = set_share(*child, {child->spec.name, {}, false}) || changed;
    }
  }
  if (!changed && empty.empty()) return;
  if (!empty.empty()) {
    caps_.open_all();
    settle_reopened();  // no list waits for a queue that goes
  }
  for (Queue* queue : empty)
    drop_made(*queue);
  refresh_capacities();
}

Result<void> Scheduler::set_plan_shares(const QueuePath& plan, std::span<const PlanShare> shares) {
  Queue* queue = impl_->find_queue(plan.value());
  if (queue == nullptr || !queue->spec.plan) {
    return fail(ErrorCode::kNotFound, "there is no plan queue " + plan.value(),
                ErrorSubject::kQueue);
  }
  impl_->set_plan_shares(*queue, shares);
  return {};
}

std::vector<QueuePath> Scheduler::plan_queues() const {
  std::vector<QueuePath> plans;
  for (const Queue* queue : impl_->queues_) {
    if (queue->spec.plan) plans.push_back(queue->spec.path);
  }
  return plans;
}

std::vector<QueuePath> Scheduler::reserved_queues(const QueuePath& plan) const {
  std::vector<QueuePath> found;
  const Queue* queue = impl_->find_queue(plan.value());
  if (queue == nullptr) return found;
  for (const auto& child : queue->children) {
    if (child->spec.origin == Origin::kReserved) found.push_back(child->spec.path);
  }
  return found;
}

Resources Scheduler::guaranteed(const QueuePath& path) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const Queue* queue = impl_->find_queue(path.value());
  return queue == nullptr ? Resources{} : queue->parts[kDefaultPartition].guaranteed;
}

}  // namespace heddle::queues
