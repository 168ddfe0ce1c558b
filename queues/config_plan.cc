#include "queues/config_plan.h"

#include <fmt/core.h>

#include <array>

#include "base/text.h"

namespace heddle::queues {
namespace {

/// The class, of whatever package, if it is one of those that are known here.
std::optional<std::string> class_of(const QueueSpec& queue, std::string_view property,
                                    const std::vector<std::string>& known, ConfigValues& values) {
  const auto text = values.of(queue, property);
  if (!text) return std::nullopt;
  const std::string name = text->substr(text->rfind('.') + 1);
  for (const std::string& one : known) {
    if (name == one) return name;
  }
  values.fault(queue, property,
               fmt::format("\"{}\" is not known; {}", shortened(*text), join(known, " or ")));
  return std::nullopt;
}

QueueSpec child_of(const QueueSpec& plan, const std::string& name) {
  QueueSpec child;
  static_cast<QueueRules&>(child) = plan;
  child.name = name;
  child.path = QueuePath(plan.path.value() + "." + name);
  child.auto_creation = AutoCreation::kOff;
  child.plan.reset();
  child.state = QueueState::kRunning;  // stops with its parent
  child.priority = 0;
  child.ordering_policy = "fifo";
  child.children_by_priority = false;
  child.labels.clear();
  child.acl_submit.reset();
  child.acl_administer.reset();
  return child;
}

}  // namespace

std::string default_child_of(const std::string& plan_name) {
  return plan_name + "-default";
}

PlanSettings read_plan(const QueueSpec& queue, ConfigValues& values) {
  const std::string path = queue.path.value();
  constexpr std::int64_t kMostMs = std::int64_t{10} * 365 * 24 * 3600 * 1000;
  const PlanSettings standard;
  PlanSettings plan;
  const auto policy = class_of(queue, "reservation-policy",
                               {"CapacityOverTimePolicy", "NoOverCommitPolicy"}, values);
  plan.quota.over_time = policy != "NoOverCommitPolicy";
  (void)class_of(queue, "reservation-agent", {"AlignedPlannerWithGreedy", "GreedyReservationAgent"},
                 values);
  (void)class_of(queue, "reservation-planner", {"SimpleCapacityReplanner"}, values);
  plan.quota.window_ms =
      values.integer(path + ".reservation-window", standard.quota.window_ms, 0, kMostMs);
  plan.quota.average =
      static_cast<float>(values.number(path + ".average-capacity", 100, 0, 100)) / 100;
  plan.quota.instantaneous =
      static_cast<float>(values.number(path + ".instantaneous-max-capacity", 100, 0, 100)) / 100;
  plan.enforcement_window_ms = values.integer(path + ".reservation-enforcement-window",
                                              standard.enforcement_window_ms, 0, kMostMs);
  const auto flag = [&](std::string_view property, bool otherwise) {
    const auto text = values.of(queue, property);
    return text ? to_lower(*text) == "true" : otherwise;
  };
  plan.move_on_expiry = flag("reservation-move-on-expiry", standard.move_on_expiry);
  plan.show_as_queues = flag("show-reservations-as-queues", standard.show_as_queues);
  plan.acl_submit = values.list_of(queue, "acl_submit_reservations");
  plan.acl_administer = values.list_of(queue, "acl_administer_reservations");
  plan.acl_list = values.list_of(queue, "acl_list_reservations");
  return plan;
}

QueueSpec default_plan_child(const QueueSpec& plan) {
  QueueSpec child = child_of(plan, default_child_of(plan.name));
  child.capacity = {CapacityMode::kPercent, 100, {}, "100"};  // of what others leave
  child.maximum_capacity = child.capacity;
  return child;
}

QueueSpec reserved_queue(const QueueSpec& plan, const PlanShare& share) {
  QueueSpec child = child_of(plan, share.name);
  child.origin = Origin::kReserved;
  child.capacity = {CapacityMode::kAbsolute, 0, share.amount, ""};
  child.maximum_capacity =
      share.only ? child.capacity : Capacity{CapacityMode::kPercent, 100, {}, "100"};
  return child;
}

}  // namespace heddle::queues
