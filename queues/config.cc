#include "queues/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "base/text.h"
#include "queues/config_checks.h"

namespace heddle::queues {
namespace {

/// Reads one file's worth of settings and gathers every fault on the way.
class Reader {
 public:
  Reader(const Settings& settings, const Limits& limits, const ResourceTypes& types)
      : values_(settings, types), limits_(limits) {}

  Result<QueueConfig> read();

 private:
  QueueSpec read_queue(const std::string& path, const std::string& name, const QueueSpec* parent);
  void read_children(QueueSpec& queue);
  void read_capacities(QueueSpec& queue, bool is_root);
  void read_leaf_limits(QueueSpec& queue);
  void read_maximum_allocation(QueueSpec& queue, const QueueSpec* parent);
  void read_user_weights(QueueSpec& queue);
  void read_order(QueueSpec& queue, const QueueSpec* parent);
  void read_parallel_users();
  void read_labels(QueueSpec& queue, const QueueSpec* parent);
  void check_unsupported(const QueueSpec& queue);

  ConfigValues values_;
  const Limits& limits_;
  QueueConfig config_;
  std::set<std::string, std::less<>> paths_;
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
  if (least.mode != queue.maximum_capacity.mode) return;
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
  if (values_.of(queue, "queues")) {
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
  queue.maximum_app_lifetime_s =
      values_.integer(path + ".maximum-application-lifetime", -1, -1, kAmountMax);
  queue.default_app_lifetime_s =
      values_.integer(path + ".default-application-lifetime", -1, -1, kAmountMax);
  read_user_weights(queue);
}

QueueSpec Reader::read_queue(const std::string& path, const std::string& name,
                             const QueueSpec* parent) {
  QueueSpec queue;
  queue.path = QueuePath(path);
  queue.name = name;
  paths_.insert(path);
  values_.come_near(path);
  read_capacities(queue, parent == nullptr);
  read_maximum_allocation(queue, parent);
  read_leaf_limits(queue);
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
  queue.acl_max_priority = values_.list_of(queue, "acl_application_max_priority");
  queue.disable_preemption =
      to_lower(values_.of(queue, "disable_preemption")
                   .value_or(parent != nullptr && parent->disable_preemption ? "true" : "")) ==
      "true";
  read_order(queue, parent);
  read_labels(queue, parent);
  read_children(queue);
  if (parent == nullptr && queue.children.empty()) {
    values_.fault(queue, "queues", "is not set; root needs at least one child queue");
  }
  check_siblings(queue, values_);
  check_label_siblings(queue, values_);
  check_unsupported(queue);
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
      queue.children.push_back(read_queue(queue.path.value() + "." + name, name, &queue));
    }
  }
  if (!queue.children.empty()) values_.come_near(queue.path.value());
}

void Reader::check_unsupported(const QueueSpec& queue) {
  const auto warn = [&](std::string_view property, std::string_view text,
                        std::string_view instead) {
    config_.warnings.push_back(fmt::format("{}{}.{}={} is not supported yet; {}", kCapacityPrefix,
                                           queue.path.value(), property, shortened(text), instead));
  };
  for (const std::string_view property :
       {"reservable", "auto-create-child-queue.enabled", "auto-queue-creation-v2.enabled"}) {
    const auto text = values_.of(queue, property);
    if (text && to_lower(*text) != "false") warn(property, *text, "the setting has no effect");
  }
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
  config_.root = read_queue("root", "root", nullptr);
  for (std::string& stray : find_strays(values_, paths_))
    config_.warnings.push_back(std::move(stray));
  if (values_.faults().empty()) return std::move(config_);
  return fail(ErrorCode::kInvalidArgument, join(values_.faults(), "\n"), ErrorSubject::kQueue);
}

}  // namespace

Result<QueueConfig> parse_capacity_config(const Settings& settings, const Limits& limits,
                                          const ResourceTypes& types) {
  return Reader(settings, limits, types).read();
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
