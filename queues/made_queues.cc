// Queues that nobody listed: made for an application, gone when idle; and what leaves of one
// managed parent are guaranteed, which is everything of their template or nothing.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "queues/config_plan.h"
#include "queues/scheduler_impl.h"
#include "queues/templates.h"

namespace heddle::queues {
namespace {

constexpr std::size_t kMadePathMax = 1024;

Failure not_made(ErrorCode code, std::string why) {
  return fail(code, std::move(why), ErrorSubject::kQueue);
}

bool may_be_a_name(std::string_view part) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
  return !part.empty() && part.find_first_of("*[]= ,/\"'%") == part.npos &&
         std::ranges::none_of(part, is_control);
}

void zero(QueueRules& rules) {
  rules.at_zero = true;
  const CapacityMode mode = rules.capacity.mode;
  rules.capacity = {mode, 0, {}, mode == CapacityMode::kAbsolute ? "[]" : "0"};
  for (auto& [label, spec] : rules.labels)
    spec.capacity = {spec.capacity.mode, 0, {}, "0"};
}

AutoCreation maker_of(Origin origin) {
  switch (origin) {
    case Origin::kManaged: return AutoCreation::kManaged;
    case Origin::kReserved: return AutoCreation::kPlan;
    case Origin::kListed:
    case Origin::kFlexible: break;
  }
  return AutoCreation::kFlexible;
}

/// One that makes nothing any more keeps what was made one by one.
AutoCreation maker_of(const QueueSpec& parent) {
  return parent.auto_creation == AutoCreation::kOff ? AutoCreation::kFlexible
                                                    : parent.auto_creation;
}

/// What was made below `before`, as it is below `after`.
void carry_made(const QueueSpec& before, QueueSpec& after, const QueueTemplates* templates) {
  std::map<std::string_view, std::size_t> listed;
  for (std::size_t i = 0; i < after.children.size(); ++i)
    listed.emplace(after.children[i].name, i);
  const bool takes_more = !after.is_leaf();
  for (const QueueSpec& child : before.children) {
    if (const auto same = listed.find(child.name); same != listed.end()) {
      carry_made(child, after.children[same->second], templates);
      continue;
    }
    const bool other_kind = maker_of(child.origin) != maker_of(after);
    if (child.origin == Origin::kListed || !takes_more || other_kind) continue;
    auto made = templates != nullptr && after.auto_parent
                    ? templates->make(after, child.name, child.is_leaf())
                    : Result<QueueSpec>(fail(ErrorCode::kNotFound, ""));
    if (child.origin == Origin::kReserved && after.plan) {
      made = reserved_queue(after, {child.name, {}, false});
      made->capacity = child.capacity;
      made->maximum_capacity = child.maximum_capacity;
    } else if (!made) {  // its parent makes no more: it stays as it is
      made = child;
      made->children.clear();
    } else if (made->origin == Origin::kManaged) {
      zero(*made);  // until it is known how many the parent can guarantee now
    }
    after.children.push_back(*std::move(made));
    carry_made(child, after.children.back(), templates);
    listed.clear();  // names moved with the list
    for (std::size_t i = 0; i < after.children.size(); ++i)
      listed.emplace(after.children[i].name, i);
  }
}

template <class Spec>
Spec& spec_below(Spec& root, const Queue& queue) {
  if (queue.parent == nullptr) return root;
  return *std::ranges::find(spec_below(root, *queue.parent).children, queue.spec.name,
                            &QueueSpec::name);
}

}  // namespace

std::shared_ptr<QueueConfig> Scheduler::Impl::with_made(const QueueConfig& config) const {
  if (made_ == 0) return nullptr;
  auto own = std::make_shared<QueueConfig>(config);
  carry_made(config_->root, own->root, config.templates.get());
  return own;
}

// --- making --------------------------------------------------------------------------------------

Result<void> Scheduler::Impl::check_may_make(const Queue& above, const std::string& path,
                                             std::size_t levels) const {
  const std::string& parent = above.spec.path.value();
  std::size_t distance = levels;
  const Queue* listed = &above;
  for (; listed->spec.origin != Origin::kListed; listed = listed->parent)
    ++distance;
  for (const Queue* queue = &above; queue != nullptr; queue = queue->parent) {
    if (queue->spec.state == QueueState::kRunning) continue;
    return not_made(ErrorCode::kWrongState,
                    fmt::format("Could not auto-create queue {}: queue {} is STOPPED", path,
                                queue->spec.path.value()));
  }
  const AutoParentPtr& most = listed->spec.auto_parent;
  if (most && distance > static_cast<std::size_t>(most->depth_max)) {
    return not_made(
        ErrorCode::kLimitExceeded,
        fmt::format("Could not auto create queue {}. The distance of the LeafQueue from "
                    "the first static ParentQueue is {}, which is above the limit. "
                    "(auto-queue-creation-v2.maximum-queue-depth of {}: {})",
                    path, distance, listed->spec.path.value(), most->depth_max));
  }
  const std::int32_t children_max = above.spec.auto_parent->children_max;
  if (above.children.size() >= static_cast<std::size_t>(children_max)) {
    return not_made(ErrorCode::kLimitExceeded,
                    fmt::format("Cannot auto create queue {}. Max Child Queue limit exceeded which "
                                "is configured as : {} and number of child queues is : {} "
                                "(max-queues of {})",
                                path, children_max, above.children.size(), parent));
  }
  if (above.spec.auto_creation == AutoCreation::kManaged) return check_managed_room(above, path);
  const bool weights = std::ranges::all_of(above.children, [](const auto& child) {
    return child->spec.capacity.mode == CapacityMode::kWeight;
  });
  if (weights || config_->mixed_modes) return {};
  return not_made(
      ErrorCode::kWrongState,
      fmt::format("Trying to create new queue={} but not all the queues under parent={} "
                  "are using weight-based capacity. Failed to created queue",
                  path, parent));
}

Result<void> Scheduler::Impl::check_managed_room(const Queue& parent,
                                                 const std::string& path) const {
  if (!parent.spec.auto_parent->fail_beyond_capacity) return {};
  const auto trial = config_->templates->make(spec_of(parent), "<new>", true);
  if (!trial) return fail(trial.error());
  double percent = trial->capacity.mode == CapacityMode::kPercent ? trial->capacity.value : 0;
  Resources amounts = trial->capacity.absolute;
  for (std::size_t i = 0; i < parent.children.size(); ++i) {
    percent += trial->capacity.value;
    amounts += trial->capacity.absolute;
  }
  const bool fits = trial->capacity.mode == CapacityMode::kAbsolute
                        ? within(amounts, parent.parts[kDefaultPartition].guaranteed)
                        : percent <= 100 + 1e-6;
  if (fits) return {};
  return not_made(ErrorCode::kLimitExceeded,
                  fmt::format("Cannot auto create leaf queue {}. Child queues capacities have "
                              "reached parent queue : {}'s guaranteed capacity",
                              path, parent.spec.path.value()));
}

Result<Queue*> Scheduler::Impl::make_leaf(std::string_view name, bool recovering) {
  if (Queue* known = find_queue(name)) return known;
  const auto unknown = [&](std::string why) {
    return not_made(ErrorCode::kNotFound, std::move(why));
  };
  std::string path{name};
  const std::string first = path.substr(0, path.find('.'));
  const Queue* top = find_queue(first);
  if (first.size() == path.size() || top == nullptr) {
    return unknown(fmt::format("queue {} does not exist", shortened(path)));
  }
  path = top->spec.path.value() + path.substr(first.size());
  if (const auto known = by_path_.find(path); known != by_path_.end()) return known->second;
  if (path.size() > kMadePathMax) {
    return not_made(ErrorCode::kInvalidArgument,
                    fmt::format("queue {}: a path of {} bytes; {} are the most", shortened(path),
                                path.size(), kMadePathMax));
  }
  std::vector<std::string> missing;  // from below
  std::string at = path;
  while (!by_path_.contains(at)) {
    missing.push_back(at.substr(at.rfind('.') + 1));
    if (!may_be_a_name(missing.back())) {
      return not_made(ErrorCode::kInvalidArgument,
                      fmt::format("queue {}: \"{}\" cannot name a queue", shortened(path),
                                  shortened(missing.back())));
    }
    at.resize(at.rfind('.'));
  }
  Queue* above = by_path_.find(at)->second;
  if (above->leaf) {
    return unknown(
        fmt::format("Could not auto create hierarchy of {}. Queue {} is not a "
                    "ParentQueue.",
                    shortened(path), at));
  }
  const AutoCreation kind = above->spec.auto_creation;
  if (kind == AutoCreation::kOff || kind == AutoCreation::kPlan || config_->templates == nullptr) {
    return unknown(fmt::format("Auto creation of queue {} is not enabled under parent {}",
                               shortened(path), at));
  }
  if (kind == AutoCreation::kManaged && missing.size() > 1) {
    return unknown(fmt::format("Could not auto-create queue {}: only leaves are made below {}",
                               shortened(path), at));
  }
  if (!recovering) RETURN_IF_ERROR(check_may_make(*above, path, missing.size()));
  // All of them or none.
  std::vector<QueueSpec> specs;
  for (std::size_t i = missing.size(); i-- > 0;) {
    auto made = config_->templates->make(specs.empty() ? spec_of(*above) : specs.back(), missing[i],
                                         i == 0);
    if (!made) return fail(std::move(made).error());
    specs.push_back(*std::move(made));
  }
  for (QueueSpec& spec : specs)
    above = &add_made(*above, std::move(spec));
  refresh_capacities();
  return above;
}

const QueueSpec& Scheduler::Impl::spec_of(const Queue& queue) const {
  return spec_below(config_->root, queue);
}

QueueSpec& Scheduler::Impl::own_spec(const Queue& queue) {
  if (own_config_ == nullptr) {
    own_config_ = std::make_shared<QueueConfig>(*config_);
    config_ = own_config_;
  }
  return spec_below(own_config_->root, queue);
}

Queue& Scheduler::Impl::add_made(Queue& parent, QueueSpec spec) {
  QueueSpec& above = own_spec(parent);
  if (spec.origin == Origin::kManaged && !fits_managed(parent, spec.capacity)) zero(spec);
  above.children.push_back(std::move(spec));
  Queue* last = &parent;  // of all below the parent
  while (!last->children.empty())
    last = last->children.back().get();
  parent.children.push_back(build(above.children.back(), &parent));
  Queue& queue = *parent.children.back();
  queue.idle_since_ms = now_ms_;
  by_path_[queue.spec.path.value()] = &queue;
  by_name_[queue.spec.name].push_back(&queue);
  queues_.insert(std::ranges::find(queues_, last) + 1, &queue);
  ++made_;
  ++made_version_;
  return queue;
}

// --- what leaves of a managed parent are guaranteed ----------------------------------------------

// GuaranteedOrZeroCapacityOverTimePolicy: leaves that have applications get the capacity of the
// template, in the order of these, as long as their parent has as much. Others have none.
bool Scheduler::Impl::fits_managed(const Queue& parent, const Capacity& more) const {
  double percent = more.value;
  Resources amounts = more.absolute;
  for (const auto& child : parent.children) {
    if (child->spec.at_zero) continue;
    percent += child->spec.capacity.value;
    amounts += child->spec.capacity.absolute;
  }
  if (more.mode != CapacityMode::kAbsolute) return percent <= 100 + 1e-6;
  const Capacity& whole = parent.spec.capacity;
  return whole.mode == CapacityMode::kAbsolute
             ? amounts.fits_in(whole.absolute)
             : within(amounts, parent.parts[kDefaultPartition].guaranteed);
}

void Scheduler::Impl::set_at_zero(Queue& queue, bool at_zero) {
  QueueSpec& spec = own_spec(queue);
  if (at_zero) {
    zero(spec);
  } else {
    auto full = config_->templates->make(spec_of(*queue.parent), spec.name, true);
    if (!full) return;  // was checked when it was taken; it stays as it is
    spec = *std::move(full);
  }
  queue.spec = spec;
  capacities_stale_ = work_ = true;
}

void Scheduler::Impl::guarantee_leaves(Queue& managed) {
  std::vector<std::pair<Place, Queue*>> waiting;
  for (const auto& child : managed.children) {
    if (child->spec.origin != Origin::kManaged) continue;
    if (child->apps == 0 && !child->spec.at_zero) set_at_zero(*child, true);
    if (child->apps > 0 && child->spec.at_zero) {
      waiting.emplace_back(child->leaf->apps.begin()->first, child.get());
    }
  }
  if (waiting.empty() || config_->templates == nullptr) return;
  const auto full = config_->templates->make(spec_of(managed), "<new>", true);
  if (!full) return;
  std::sort(waiting.begin(), waiting.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [turn, queue] : waiting) {
    if (!fits_managed(managed, full->capacity)) break;
    set_at_zero(*queue, false);
  }
}

void Scheduler::Impl::note_idle(Queue& leaf) {
  if (leaf.spec.origin == Origin::kListed) return;
  leaf.idle_since_ms = now_ms_;
  const bool changes = leaf.apps == 0 || leaf.spec.at_zero;
  if (leaf.spec.origin == Origin::kManaged && changes) guarantee_leaves(*leaf.parent);
  if (capacities_stale_) refresh_capacities();
}

/// What is kept of the queues says the same thrice: the tree, the configuration, the indexes.
std::string Scheduler::Impl::check_made() const {
  std::size_t made = 0;
  std::size_t at = 0;
  std::string fault;
  const auto look = [&](const auto& self, const Queue& queue, const QueueSpec& spec) -> void {
    const std::string& path = queue.spec.path.value();
    if (at >= queues_.size() || queues_[at++] != &queue) fault = path + ": out of order";
    if (!(queue.spec == spec)) fault = path + ": is not as configured";
    if (queue.children.size() != spec.children.size()) {
      fault = path + ": has other children than configured";
      return;
    }
    made += queue.spec.origin != Origin::kListed ? 1 : 0;
    double percent = 0;
    for (std::size_t i = 0; i < spec.children.size(); ++i) {
      const QueueRules& child = queue.children[i]->spec;
      const bool counts = child.capacity.mode == CapacityMode::kPercent && !child.at_zero;
      percent += child.origin == Origin::kManaged && counts ? child.capacity.value : 0;
      self(self, *queue.children[i], spec.children[i]);
    }
    if (percent > 100 + 1e-6) fault = path + ": guarantees more than it has";
  };
  look(look, *root_, config_->root);
  if (made != made_ || at != queues_.size()) fault = "what was made is counted wrongly";
  return fault;
}

// --- going ---------------------------------------------------------------------------------------

bool Scheduler::Impl::may_go(const Queue& queue) const {
  return queue.spec.origin == Origin::kFlexible && queue.spec.auto_removal && queue.apps == 0 &&
         queue.children.empty();
}

void Scheduler::Impl::drop_made(Queue& queue) {
  Queue& parent = *queue.parent;
  auto& specs = own_spec(parent).children;
  specs.erase(std::ranges::find(specs, queue.spec.name, &QueueSpec::name));
  by_path_.erase(queue.spec.path.value());
  const auto named = by_name_.find(queue.spec.name);
  std::erase(named->second, &queue);
  if (named->second.empty()) by_name_.erase(named);
  std::erase(queues_, &queue);
  parent.idle_since_ms = now_ms_;
  std::erase_if(parent.children, [&](const auto& child) { return child.get() == &queue; });
  --made_;
  ++made_version_;
}

std::vector<QueuePath> Scheduler::remove_idle_queues() {
  std::vector<QueuePath> gone;
  if (impl_->made_ == 0) return gone;
  std::vector<Queue*> due;
  for (Queue* queue : impl_->queues_) {
    const std::int64_t idle_ms = impl_->now_ms_ - queue->idle_since_ms;
    if (impl_->may_go(*queue) && idle_ms >= impl_->config_->auto_expiry_s * 1000) {
      due.push_back(queue);
    }
  }
  if (due.empty()) return gone;
  impl_->caps_.open_all();
  impl_->settle_reopened();  // no list waits for a queue that goes
  for (Queue* queue : due) {
    gone.push_back(queue->spec.path);
    impl_->drop_made(*queue);
  }
  impl_->refresh_capacities();
  return gone;
}

std::optional<std::int64_t> Scheduler::next_idle_ms() const {
  std::optional<std::int64_t> next;
  if (impl_->made_ == 0) return next;
  for (const Queue* queue : impl_->queues_) {
    if (!impl_->may_go(*queue)) continue;
    const std::int64_t at = queue->idle_since_ms + impl_->config_->auto_expiry_s * 1000;
    next = std::min(next.value_or(at), at);
  }
  return next;
}

Result<QueuePath> Scheduler::make_leaf(std::string_view queue, bool recovering) {
  const auto made = impl_->make_leaf(queue, recovering);
  if (!made) return fail(made.error());
  return (*made)->spec.path;
}

std::vector<QueuePath> Scheduler::made_queues() const {
  std::vector<QueuePath> made;
  if (impl_->made_ == 0) return made;
  for (const Queue* queue : impl_->queues_) {
    if (queue->spec.origin != Origin::kListed) made.push_back(queue->spec.path);
  }
  return made;
}

bool Scheduler::has_made_queues() const {
  return impl_->made_ > 0;
}

std::uint64_t Scheduler::made_version() const {
  return impl_->made_version_;
}

std::shared_ptr<QueueConfig> Scheduler::with_made(const QueueConfig& config) const {
  return impl_->with_made(config);
}

}  // namespace heddle::queues
