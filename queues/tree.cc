// The queue tree, and how it becomes another one: queues that stay keep what they hold.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "queues/config_change.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {

Scheduler::Impl::Impl() {
  config_ = std::make_shared<const QueueConfig>(default_queue_config());
  root_ = build(config_->root, nullptr);
  index_queues(*root_);
  refresh_capacities();
}

std::unique_ptr<Queue> Scheduler::Impl::build(const QueueSpec& spec, Queue* parent) {
  auto queue = std::make_unique<Queue>();
  queue->spec = spec;
  queue->parent = parent;
  if (spec.is_leaf()) queue->leaf = std::make_unique<Leaf>();
  for (const QueueSpec& child : spec.children)
    queue->children.push_back(build(child, queue.get()));
  return queue;
}

void Scheduler::Impl::index_queues(Queue& queue) {
  by_path_[queue.spec.path.value()] = &queue;
  by_name_[queue.spec.name].push_back(&queue);
  queues_.push_back(&queue);
  for (const auto& child : queue.children)
    index_queues(*child);
}

/// Every queue with applications is a leaf in the new configuration, too.
Result<void> Scheduler::Impl::check_homes(const QueueConfig& config) const {
  std::vector<std::string> faults;
  for_each_lost_home(config_->root, config.root, [&](const LostHome& lost) {
    const Queue* queue = find_queue(lost.queue.path.value());
    if (!queue->leaf || queue->apps == 0) return;
    faults.push_back(fmt::format(
        "queue {} has {} applications and is not a leaf queue in the new configuration; stop it "
        "and wait for them, or move them first",
        queue->spec.path.value(), queue->apps));
  });
  if (faults.empty()) return {};
  return fail(ErrorCode::kWrongState, join(faults, "\n"), ErrorSubject::kQueue);
}

Result<void> Scheduler::Impl::configure(std::shared_ptr<const QueueConfig> config,
                                        const Limits& limits) {
  if (config->root.children.empty()) {
    return fail(ErrorCode::kInvalidArgument, "queue root has no children", ErrorSubject::kQueue);
  }
  auto own = with_made(*config);
  if (own != nullptr) config = own;
  RETURN_IF_ERROR(check_homes(*config));
  own_config_ = std::move(own);

  remember_warnings();
  std::vector<NodeIndex::Slot> freed;
  while (!claims_.empty()) {
    freed.push_back(claims_.begin()->second.node);
    drop_claim(claims_.begin()->first);
  }
  caps_.open_all();
  settle_reopened();  // no list waits for a queue that may go

  config_ = std::move(config);
  limits_ = limits;
  const std::size_t types_before = types_;
  types_ = config_->calculator == Calculator::kMemory ? 1 : limits.type_count;
  nodes_.set_type_count(types_);
  if (adapt(*root_, config_->root)) {
    by_path_.clear();
    by_name_.clear();
    queues_.clear();
    index_queues(*root_);
  }
  if (made_ > 0) {
    const auto is_made = [](const Queue* queue) { return queue->spec.origin != Origin::kListed; };
    made_ = static_cast<std::size_t>(std::ranges::count_if(queues_, is_made));
    ++made_version_;
  }
  // Nobody is let in half-way, while limits of the old and the new settings are mixed.
  refresh_limits();
  if (made_ > 0) {
    for (Queue* queue : std::vector<Queue*>(queues_)) {
      if (queue->spec.auto_creation == AutoCreation::kManaged) guarantee_leaves(*queue);
    }
    if (capacities_stale_) refresh_limits();
  }
  let_held_run();
  activate_everywhere();
  caps_.hope_again();
  new_need_ = true;
  if (types_ != types_before) wake_everywhere();  // what found no node for a type may fit now
  for (const NodeIndex::Slot slot : freed)
    wake_for(slot);
  return {};
}

/// Whether queues came, went, or changed their order.
bool Scheduler::Impl::adapt(Queue& queue, const QueueSpec& spec) {
  take_rules(queue, spec);
  bool same = std::ranges::equal(
      queue.children, spec.children, {},
      [](const auto& child) -> const std::string& { return child->spec.name; }, &QueueSpec::name);
  const auto stays = [](const Queue& child, const QueueSpec& next) {
    return (child.leaf == nullptr) == !next.is_leaf();
  };
  std::map<std::string, std::unique_ptr<Queue>, std::less<>> before;
  if (!same) {
    for (auto& child : std::exchange(queue.children, {}))
      before.emplace(child->spec.name, std::move(child));
    queue.children.resize(spec.children.size());
  }
  bool changed = !same;
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    std::unique_ptr<Queue>& child = queue.children[i];
    if (auto known = before.extract(spec.children[i].name)) child = std::move(known.mapped());
    if (child && stays(*child, spec.children[i])) {
      changed = adapt(*child, spec.children[i]) || changed;
    } else {
      child = build(spec.children[i], &queue);
      changed = true;
    }
  }
  return changed;
}

Queue* Scheduler::Impl::find_queue(std::string_view path_or_name) const {
  const auto path = by_path_.find(path_or_name);
  if (path != by_path_.end()) return path->second;
  const auto name = by_name_.find(path_or_name);
  return name != by_name_.end() && name->second.size() == 1 ? name->second.front() : nullptr;
}

Queue* Scheduler::Impl::find_leaf(std::string_view path_or_name) const {
  Queue* queue = find_queue(path_or_name);
  return queue != nullptr && queue->leaf ? queue : nullptr;
}

}  // namespace heddle::queues
