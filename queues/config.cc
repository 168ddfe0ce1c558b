#include "queues/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "base/text.h"
#include "queues/config_checks.h"
#include "queues/config_plan.h"
#include "queues/templates.h"

namespace heddle::queues {
namespace {

/// Reads one file's worth of settings and gathers every fault on the way.
class Reader {
 public:
  Reader(const Settings& settings, const Limits& limits, const ResourceTypes& types)
      : settings_(settings), types_(types), values_(settings, types), limits_(limits) {}

  Result<QueueConfig> read();
  /// One that is made below `parent`.
  Result<QueueSpec> read_made(const std::string& name, const QueueSpec& parent, bool leaf);

 private:
  struct Made {
    Origin origin = Origin::kListed;
    bool parent = false;
  };
  QueueSpec read_queue(const std::string& path, const std::string& name, const QueueSpec* parent,
                       Made made);
  void read_auto_creation(QueueSpec& queue, bool made_parent);
  void read_templates(const QueueSpec& queue, AutoParent& to) const;
  void take_templates(std::string_view head,
                      std::map<std::string, std::string, std::less<>>& to) const;
  void check_templates(const QueueSpec& queue);
  void read_children(QueueSpec& queue);
  void read_capacities(QueueSpec& queue, bool is_root);
  void read_leaf_limits(QueueSpec& queue);
  void read_lifetimes(QueueSpec& queue, const QueueSpec* parent);
  void read_maximum_allocation(QueueSpec& queue, const QueueSpec* parent);
  void read_user_weights(QueueSpec& queue);
  void read_order(QueueSpec& queue, const QueueSpec* parent);
  void read_parallel_users();
  void read_labels(QueueSpec& queue, const QueueSpec* parent);

  const Settings& settings_;
  const ResourceTypes& types_;
  ConfigValues values_;
  const Limits& limits_;
  QueueConfig config_;
  std::set<std::string, std::less<>> paths_;
  std::set<std::string, std::less<>> makers_;  // of children
};

void Reader::read_capacities(QueueSpec& queue, bool is_root) {
  const auto text = values_.of(queue, "capacity");
  if (is_root) {
    queue.capacity = {CapacityMode::kPercent, 100, {}, text.value_or("100")};
    if (text && !text->starts_with('[') && !text->ends_with('w') &&
        values_.parse_capacity(queue, "capacity", *text).value != 100) {
      values_.fault(queue, "capacity",
                    fmt::format("{} is set; root always has 100", shortened(*text)));
    }
  } else if (text) {
    queue.capacity = values_.parse_capacity(queue, "capacity", *text);
  } else {
    values_.fault(queue, "capacity", "is not set; give a percentage, a weight (2w) or amounts");
  }
  const std::string most = values_.of(queue, "maximum-capacity").value_or("-1");
  if (is_root || most == "-1" || parse_double(most) == -1.0) {
    queue.maximum_capacity = {CapacityMode::kPercent, 100, {}, "100"};
    return;
  }
  queue.maximum_capacity = values_.parse_capacity(queue, "maximum-capacity", most);
  const Capacity& least = queue.capacity;
  if (least.mode != queue.maximum_capacity.mode || least.mode == CapacityMode::kMixed) return;
  const bool below = least.mode == CapacityMode::kAbsolute
                         ? !least.absolute.fits_in(queue.maximum_capacity.absolute)
                         : queue.maximum_capacity.value < least.value;
  if (below) {
    values_.fault(queue, "maximum-capacity",
                  fmt::format("{} is below the capacity {}", most, queue.capacity.text));
  }
}

void Reader::read_maximum_allocation(QueueSpec& queue, const QueueSpec* parent) {
  queue.maximum_allocation = parent != nullptr ? parent->maximum_allocation : limits_.maximum;
  const std::string path = queue.path.value();
  Resources& size = queue.maximum_allocation;
  if (const auto text = values_.of(queue, "maximum-allocation")) {
    std::string why;
    const auto amounts = values_.parse_amounts(*text, why);
    if (!amounts) values_.fault(queue, "maximum-allocation", why);
    for (std::size_t i = 0; amounts && i < kResourceTypesMax; ++i) {
      if (amounts->amount[i] > 0) size.amount[i] = amounts->amount[i];
    }
  }
  size.amount[kMemory] =
      values_.integer(path + ".maximum-allocation-mb", size.memory_mb(), 1, kAmountMax);
  size.amount[kVcores] =
      values_.integer(path + ".maximum-allocation-vcores", size.vcores(), 1, kAmountMax);
  if (!size.fits_in(limits_.maximum)) {
    values_.fault(
        queue, "maximum-allocation",
        fmt::format("Queue maximum allocation cannot be larger than the cluster setting for "
                    "queue {} max allocation per queue: {} cluster setting: {}",
                    path, to_string(size), to_string(limits_.maximum)));
  }
  if (!limits_.minimum.fits_in(size)) {
    values_.fault(queue, "maximum-allocation",
                  fmt::format("{} is below the cluster's minimum allocation {}", to_string(size),
                              to_string(limits_.minimum)));
  }
}

void Reader::read_user_weights(QueueSpec& queue) {
  const std::string head = fmt::format("{}{}.user-settings.", kCapacityPrefix, queue.path.value());
  const auto& all = values_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    std::string_view rest = std::string_view(it->first).substr(head.size());
    if (!rest.ends_with(".weight")) continue;
    rest.remove_suffix(std::string_view(".weight").size());
    const double weight =
        values_.number(std::string_view(it->first).substr(kCapacityPrefix.size()), 1, 0.001, 1e6);
    queue.user_weights.emplace(rest, weight);
  }
}

// A parent hands its policy down to the parents below it; a leaf has its own.
void Reader::read_order(QueueSpec& queue, const QueueSpec* parent) {
  const auto policy = values_.of(queue, "ordering-policy");
  if (values_.of(queue, "queues") || queue.auto_creation != AutoCreation::kOff) {
    queue.ordering_policy =
        policy.value_or(parent != nullptr ? parent->ordering_policy : "utilization");
    queue.children_by_priority = queue.ordering_policy == "priority-utilization";
    if (!queue.children_by_priority && queue.ordering_policy != "utilization") {
      values_.fault(
          queue, "ordering-policy",
          fmt::format("\"{}\" is not known; utilization or priority-utilization of a parent",
                      shortened(queue.ordering_policy)));
    }
    return;
  }
  queue.ordering_policy = policy.value_or("fifo");
  if (queue.ordering_policy == "fair") {
    queue.app_order = AppOrder::kFair;
    queue.fair_by_size =
        to_lower(values_.of(queue, "ordering-policy.fair.enable-size-based-weight").value_or("")) ==
        "true";
  } else if (queue.ordering_policy != "fifo" && queue.ordering_policy != "fifo-for-pending-apps" &&
             queue.ordering_policy != "fifo-with-partitions") {
    values_.fault(queue, "ordering-policy",
                  fmt::format("\"{}\" is not known; fifo, fair, fifo-for-pending-apps or "
                              "fifo-with-partitions of a leaf",
                              shortened(queue.ordering_policy)));
  }
}

// <queue>.accessible-node-labels and what follows that name, one level for each label.
void Reader::read_labels(QueueSpec& queue, const QueueSpec* parent) {
  constexpr std::string_view kAccess = "accessible-node-labels";
  if (const auto text = values_.list_of(queue, kAccess)) {
    for (const std::string& label : split_list(*text)) {
      queue.all_labels = queue.all_labels || label == "*";
      if (label != "*") queue.accessible_labels.insert(label);
    }
  } else {
    queue.all_labels = parent == nullptr || parent->all_labels;
    if (parent != nullptr) queue.accessible_labels = parent->accessible_labels;
  }
  const std::string head = fmt::format("{}{}.{}.", kCapacityPrefix, queue.path.value(), kAccess);
  const auto& all = values_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    const std::string_view rest = std::string_view(it->first).substr(head.size());
    const std::size_t dot = rest.rfind('.');
    if (dot == rest.npos) continue;
    const std::string label{rest.substr(0, dot)};
    const std::string_view property = rest.substr(dot + 1);
    const std::string name = fmt::format("{}.{}.{}", kAccess, label, property);
    const auto text = values_.of(queue, name);
    if (!text) continue;
    LabelSpec& spec = queue.labels[label];
    if (property == "capacity") spec.capacity = values_.parse_capacity(queue, name, *text);
    if (property == "maximum-capacity" && *text != "-1") {
      spec.maximum_capacity = values_.parse_capacity(queue, name, *text);
    }
    if (property == "maximum-am-resource-percent") {
      spec.maximum_am_share =
          values_.number(fmt::format("{}.{}", queue.path.value(), name), 0.1, 0, 1);
    }
  }
  queue.default_label = values_.of(queue, "default-node-label-expression")
                            .value_or(parent != nullptr ? parent->default_label : "");
  if (!queue.may_use_label(queue.default_label)) {
    values_.fault(queue, "default-node-label-expression",
                  fmt::format("\"{}\" is not among its accessible-node-labels ({})",
                              shortened(queue.default_label),
                              join(std::vector<std::string>(queue.accessible_labels.begin(),
                                                            queue.accessible_labels.end()),
                                   ", ")));
  }
}

void Reader::read_parallel_users() {
  config_.maximum_parallel_apps_per_user = static_cast<std::int32_t>(
      values_.integer("user.max-parallel-apps", kNoAppLimit, 1, kNoAppLimit));
  const std::string head = fmt::format("{}user.", kCapacityPrefix);
  const auto& all = values_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    constexpr std::string_view kEnd = ".max-parallel-apps";
    std::string_view user = std::string_view(it->first).substr(head.size());
    if (!user.ends_with(kEnd)) continue;
    user.remove_suffix(kEnd.size());
    config_.maximum_parallel_apps_of_user.emplace(
        user, values_.integer(std::string_view(it->first).substr(kCapacityPrefix.size()),
                              kNoAppLimit, 1, kNoAppLimit));
  }
}

void Reader::read_leaf_limits(QueueSpec& queue) {
  const std::string path = queue.path.value();
  constexpr double kMost = 1e9;
  queue.minimum_user_limit_percent = values_.number_of(queue, "minimum-user-limit-percent",
                                                       "minimum-user-limit-percent", 100, 0, 100);
  queue.user_limit_factor =
      values_.number_of(queue, "user-limit-factor", "user-limit-factor", 1, -1, kMost);
  if (queue.user_limit_factor < 0 && queue.user_limit_factor != -1) {
    values_.fault(queue, "user-limit-factor", "must be 0 or more, or -1 for no limit");
  }
  queue.maximum_am_share = values_.number_of(queue, "maximum-am-resource-percent",
                                             "maximum-am-resource-percent", 0.1, 0, 1);
  constexpr std::int64_t kMostApps = std::numeric_limits<std::int32_t>::max();
  std::int64_t apps = values_.integer(path + ".maximum-applications", -1, -1, kMostApps);
  if (apps < 0) apps = values_.integer("global-queue-max-application", -1, -1, kMostApps);
  if (apps >= 0) queue.maximum_apps = static_cast<std::int32_t>(apps);
  queue.maximum_parallel_apps = static_cast<std::int32_t>(values_.integer(
      path + ".max-parallel-apps", values_.integer("max-parallel-apps", kNoAppLimit, 1, kMostApps),
      1, kMostApps));
  queue.default_app_priority = static_cast<std::int32_t>(
      values_.integer(path + ".default-application-priority", 0, 0, kMostApps));
  read_user_weights(queue);
}

// As Hadoop hands them down: a queue without a default of its own has that of its parent as far as
// its maximum allows, else its maximum.
void Reader::read_lifetimes(QueueSpec& queue, const QueueSpec* parent) {
  const std::string path = queue.path.value();
  std::int64_t& most = queue.maximum_app_lifetime_s;
  most = values_.integer(path + ".maximum-application-lifetime", -1, -1, kAmountMax);
  if (most < 0 && parent != nullptr) most = parent->maximum_app_lifetime_s;
  std::int64_t& usual = queue.default_app_lifetime_s;
  usual = values_.integer(path + ".default-application-lifetime", -1, -1, kAmountMax);
  if (usual > 0 || parent == nullptr) return;
  const std::int64_t handed_down = parent->default_app_lifetime_s;
  usual = handed_down > 0 && most > 0 ? std::min(handed_down, most) : most;
}

// What the children that are made below the queue get, the most exact path first: that of
// root.a.b also stands at root.a.* and root.*.*. Root is never a "*".
void Reader::read_templates(const QueueSpec& queue, AutoParent& to) const {
  if (queue.auto_creation == AutoCreation::kManaged) {
    return take_templates(
        fmt::format("{}{}.leaf-queue-template.", kCapacityPrefix, queue.path.value()),
        to.of_leaves);
  }
  std::vector<std::string> parts = split_list(queue.path.value(), '.');
  const std::size_t stars =
      std::min(parts.size() - 1, static_cast<std::size_t>(std::max(to.depth_max, 0)));
  for (std::size_t level = 0; level <= stars; ++level) {
    if (level > 0) parts[parts.size() - level] = "*";
    const std::string head =
        fmt::format("{}{}.auto-queue-creation-v2.", kCapacityPrefix, join(parts, "."));
    take_templates(head + "template.", to.common);
    take_templates(head + "parent-template.", to.of_parents);
    take_templates(head + "leaf-template.", to.of_leaves);
  }
}

void Reader::take_templates(std::string_view head,
                            std::map<std::string, std::string, std::less<>>& to) const {
  const auto& all = values_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    to.emplace(it->first.substr(head.size()), values_.raw(it->first).value_or(""));
  }
}

void Reader::read_auto_creation(QueueSpec& queue, bool made_parent) {
  const auto is_on = [&](std::string_view property, std::string_view otherwise) {
    return to_lower(values_.of(queue, property).value_or(std::string(otherwise))) == "true";
  };
  const std::string path = queue.path.value();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  queue.auto_removal = is_on("auto-queue-creation-v2.queue-auto-removal.enable", "true");
  AutoParent parent;
  if (is_on("reservable", "") && !made_parent) {
    queue.auto_creation = AutoCreation::kPlan;
    queue.plan = read_plan(queue, values_);
    if (values_.of(queue, "queues") || path == "root") {
      values_.fault(queue, "reservable",
                    fmt::format("Only Leaf Queues can be reservable for {}", path));
    }
    return;
  }
  if (is_on("auto-create-child-queue.enabled", "")) {
    queue.auto_creation = AutoCreation::kManaged;
    parent.depth_max = 1;
    parent.children_max = static_cast<std::int32_t>(
        values_.integer(path + ".auto-create-child-queue.max-queues", 1000, 0, kMost));
    parent.fail_beyond_capacity =
        is_on("auto-create-child-queue.fail-on-exceeding-parent-capacity", "");
    if (values_.of(queue, "queues")) {
      values_.fault(queue, "auto-create-child-queue.enabled",
                    "a queue with children in \"queues\" cannot make leaves by this template, too; "
                    "auto-queue-creation-v2.enabled can");
    }
    const auto policy = values_.of(queue, "auto-create-child-queue.management-policy");
    if (policy && !policy->ends_with("GuaranteedOrZeroCapacityOverTimePolicy")) {
      values_.fault(queue, "auto-create-child-queue.management-policy",
                    fmt::format("\"{}\" is not known; GuaranteedOrZeroCapacityOverTimePolicy is",
                                shortened(*policy)));
    }
  } else if (made_parent || is_on("auto-queue-creation-v2.enabled", "")) {
    queue.auto_creation = AutoCreation::kFlexible;
    const std::int64_t depth =
        values_.integer("auto-queue-creation-v2.maximum-queue-depth", 2, 0, 100);
    parent.depth_max = static_cast<std::int32_t>(
        values_.integer(path + ".auto-queue-creation-v2.maximum-queue-depth", depth, 0, 100));
    parent.children_max = static_cast<std::int32_t>(
        values_.integer(path + ".auto-queue-creation-v2.max-queues", 1000, 0, kMost));
  } else {
    return;
  }
  read_templates(queue, parent);
  queue.auto_parent = AutoParentPtr(std::make_shared<const AutoParent>(std::move(parent)));
  makers_.insert(path);
}

/// Tells what is wrong with them before the first queue is made.
void Reader::check_templates(const QueueSpec& queue) {
  for (const bool leaf : {true, false}) {
    if (queue.auto_creation == AutoCreation::kOff || queue.plan) break;
    if (!leaf && queue.auto_creation == AutoCreation::kManaged) continue;
    const auto trial = config_.templates->make(queue, "<new>", leaf);
    if (!trial) {
      values_.fault(fmt::format("queue {}: its template for {}: {}", queue.path.value(),
                                leaf ? "leaves" : "parents", trial.error().message));
      break;
    }
    if (leaf && queue.auto_creation == AutoCreation::kManaged &&
        trial->capacity.mode == CapacityMode::kWeight) {
      values_.fault(fmt::format(
          "queue {}: {}{}.leaf-queue-template.capacity: {} is a weight; "
          "a percentage or amounts are needed",
          queue.path.value(), kCapacityPrefix, queue.path.value(), trial->capacity.text));
    }
  }
  for (const QueueSpec& child : queue.children)
    check_templates(child);
}

QueueSpec Reader::read_queue(const std::string& path, const std::string& name,
                             const QueueSpec* parent, Made made) {
  QueueSpec queue;
  queue.path = QueuePath(path);
  queue.name = name;
  queue.origin = made.origin;
  paths_.insert(path);
  values_.come_near(path);
  read_auto_creation(queue, made.parent);
  read_capacities(queue, parent == nullptr);
  read_maximum_allocation(queue, parent);
  read_leaf_limits(queue);
  read_lifetimes(queue, parent);
  queue.priority =
      static_cast<std::int32_t>(values_.integer(path + ".priority", 0, -1'000'000, 1'000'000));
  if (const auto state = values_.of(queue, "state")) {
    const std::string upper = to_upper(*state);
    if (upper == "STOPPED") queue.state = QueueState::kStopped;
    if (upper != "STOPPED" && upper != "RUNNING") {
      values_.fault(queue, "state",
                    fmt::format("\"{}\" is not a state; RUNNING or STOPPED", shortened(*state)));
    }
  }
  queue.acl_submit = values_.list_of(queue, "acl_submit_applications");
  queue.acl_administer = values_.list_of(queue, "acl_administer_queue");
  if (const auto text = values_.of(queue, "acl_application_max_priority"); text && *text != "*") {
    auto acls = parse_priority_acls(*text);
    if (acls) {
      queue.priority_acls = *std::move(acls);
    } else {
      values_.fault(queue, "acl_application_max_priority", acls.error().message);
    }
  }
  const auto disabled = [&](std::string_view property, bool above) {
    return to_lower(values_.of(queue, property).value_or(above ? "true" : "")) == "true";
  };
  queue.disable_preemption =
      disabled("disable_preemption", parent != nullptr && parent->disable_preemption);
  queue.disable_inside_preemption =
      disabled("intra-queue-preemption.disable_preemption",
               parent != nullptr && parent->disable_inside_preemption);
  read_order(queue, parent);
  read_labels(queue, parent);
  if (made.origin != Origin::kListed) return queue;
  read_children(queue);
  if (parent == nullptr && queue.children.empty()) {
    values_.fault(queue, "queues", "is not set; root needs at least one child queue");
  }
  if (!config_.mixed_modes) {
    check_siblings(queue, values_);
    check_label_siblings(queue, values_);
  }
  if (queue.plan && queue.children.empty()) queue.children.push_back(default_plan_child(queue));
  return queue;
}

void Reader::read_children(QueueSpec& queue) {
  std::set<std::string> seen;
  for (const std::string& name : split_list(values_.of(queue, "queues").value_or(""))) {
    const bool odd = name.find_first_of(".*[]= \t/\"'") != std::string::npos;
    if (odd) {
      values_.fault(queue, "queues", fmt::format("\"{}\" is not a queue name", shortened(name)));
    } else if (!seen.insert(name).second) {
      values_.fault(queue, "queues", fmt::format("\"{}\" is listed twice", shortened(name)));
    } else {
      queue.children.push_back(read_queue(queue.path.value() + "." + name, name, &queue, {}));
    }
  }
  if (!queue.children.empty()) values_.come_near(queue.path.value());
}

Result<QueueSpec> Reader::read_made(const std::string& name, const QueueSpec& parent, bool leaf) {
  values_.allow_mixed(to_lower(values_.value("legacy-queue-mode.enabled").value_or("")) == "false");
  const bool managed = parent.auto_creation == AutoCreation::kManaged;
  QueueSpec queue = read_queue(parent.path.value() + "." + name, name, &parent,
                               {managed ? Origin::kManaged : Origin::kFlexible, !leaf});
  if (values_.faults().empty()) return queue;
  return fail(ErrorCode::kInvalidArgument, join(values_.faults(), "\n"), ErrorSubject::kQueue);
}

Result<QueueConfig> Reader::read() {
  const std::string calculator =
      values_.value("resource-calculator").value_or("DefaultResourceCalculator");
  if (calculator.ends_with("DominantResourceCalculator")) {
    config_.calculator = Calculator::kDominant;
  } else if (!calculator.ends_with("DefaultResourceCalculator")) {
    values_.fault("resource-calculator",
                  fmt::format("\"{}\" is not known; DefaultResourceCalculator or "
                              "DominantResourceCalculator of org.apache.hadoop.yarn.util.resource",
                              shortened(calculator)));
  }
  config_.maximum_apps = static_cast<std::int32_t>(
      values_.integer("maximum-applications", 10000, 0, std::numeric_limits<std::int32_t>::max()));
  read_parallel_users();
  const std::string legacy = to_lower(values_.value("legacy-queue-mode.enabled").value_or("true"));
  config_.mixed_modes = legacy == "false";
  if (legacy != "true" && legacy != "false") {
    values_.fault("legacy-queue-mode.enabled",
                  fmt::format("\"{}\" is neither true nor false", shortened(legacy)));
  }
  values_.allow_mixed(config_.mixed_modes);
  config_.app_fail_fast = to_lower(values_.value("application.fail-fast").value_or("")) == "true";
  config_.user_metrics = to_lower(values_.value("user-metrics.enable").value_or("")) == "true";
  config_.auto_expiry_s =
      values_.integer("auto-queue-creation-v2.queue-expiration-time", 300, 0, kAmountMax);
  config_.root = read_queue("root", "root", nullptr, {});
  if (!makers_.empty()) {
    config_.templates =
        std::make_shared<const QueueTemplates>(settings_, paths_, makers_, limits_, types_);
    check_templates(config_.root);
  }
  for (std::string& stray : find_strays(values_, paths_, makers_))
    config_.warnings.push_back(std::move(stray));
  if (values_.faults().empty()) return std::move(config_);
  return fail(ErrorCode::kInvalidArgument, join(values_.faults(), "\n"), ErrorSubject::kQueue);
}

}  // namespace

Result<QueueConfig> parse_capacity_config(const Settings& settings, const Limits& limits,
                                          const ResourceTypes& types) {
  return Reader(settings, limits, types).read();
}

Result<QueueSpec> QueueTemplates::make(const QueueSpec& parent, const std::string& name,
                                       bool leaf) const {
  const Settings settings = settings_of(parent, name, leaf);
  return Reader(settings, limits_, types_).read_made(name, parent, leaf);
}

QueueConfig default_queue_config() {
  QueueConfig config;
  config.root.path = QueuePath("root");
  config.root.name = "root";
  config.root.capacity = {CapacityMode::kPercent, 100, {}, "100"};
  config.root.maximum_capacity = {CapacityMode::kPercent, 100, {}, "100"};
  config.root.maximum_allocation = Limits{}.maximum;
  QueueSpec leaf = config.root;
  leaf.path = QueuePath("root.default");
  leaf.name = "default";
  config.root.children.push_back(std::move(leaf));
  return config;
}

}  // namespace heddle::queues
