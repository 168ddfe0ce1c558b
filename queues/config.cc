#include "queues/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "base/text.h"

namespace heddle::queues {
namespace {

constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";
constexpr double kSumTolerancePercent = 0.05;  // what Hadoop allows siblings to miss 100 % by
constexpr std::int64_t kAmountMax = std::int64_t{1} << 34;

/// Reads one file's worth of settings and gathers every fault on the way.
class Reader {
 public:
  Reader(const Settings& settings, const Limits& limits, const ResourceTypes& types)
      : settings_(settings), limits_(limits), types_(types) {}

  Result<QueueConfig> read();

 private:
  std::optional<std::string> value(std::string_view name) const;  // trimmed; nullopt if blank
  std::optional<std::string> of(const QueueSpec& queue, std::string_view property) const {
    return value(fmt::format("{}.{}", queue.path.value(), property));
  }
  /// As written: a blank list is nobody, and one that begins with a blank has groups only.
  std::optional<std::string> list_of(const QueueSpec& queue, std::string_view property) const {
    return settings_.get(fmt::format("{}{}.{}", kPrefix, queue.path.value(), property));
  }
  void fault(const QueueSpec& queue, std::string_view property, std::string_view text);
  void fault(std::string_view name, std::string_view text);
  double number(std::string_view name, double fallback, double least, double most);
  double number_of(const QueueSpec& queue, std::string_view property,
                   std::string_view fallback_name, double fallback, double least, double most);
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);

  QueueSpec read_queue(const std::string& path, const std::string& name, const QueueSpec* parent);
  void read_children(QueueSpec& queue);
  void read_capacities(QueueSpec& queue, bool is_root);
  void read_leaf_limits(QueueSpec& queue);
  void read_maximum_allocation(QueueSpec& queue, const QueueSpec* parent);
  void read_user_weights(QueueSpec& queue);
  void read_order(QueueSpec& queue, const QueueSpec* parent);
  void read_parallel_users();
  void read_labels(QueueSpec& queue, const QueueSpec* parent);
  Capacity parse_capacity(const QueueSpec& queue, std::string_view property, std::string_view text);
  std::optional<Resources> parse_amounts(std::string_view text, std::string& why) const;
  void check_siblings(const QueueSpec& parent);
  void check_label_siblings(const QueueSpec& parent);
  void check_unsupported(const QueueSpec& queue);
  void check_strays();

  const Settings& settings_;
  const Limits& limits_;
  const ResourceTypes& types_;
  QueueConfig config_;
  std::vector<std::string> faults_;
  std::set<std::string, std::less<>> paths_;
};

std::optional<std::string> Reader::value(std::string_view name) const {
  const auto text = settings_.get(std::string(kPrefix) + std::string(name));
  if (!text) return std::nullopt;
  std::string trimmed{trim(*text)};
  if (trimmed.empty()) return std::nullopt;
  return trimmed;
}

void Reader::fault(std::string_view name, std::string_view text) {
  faults_.push_back(fmt::format("{}{}: {}", kPrefix, name, text));
}

void Reader::fault(const QueueSpec& queue, std::string_view property, std::string_view text) {
  faults_.push_back(fmt::format("queue {}: {}{}.{}: {}", queue.path.value(), kPrefix,
                                queue.path.value(), property, text));
}

double Reader::number(std::string_view name, double fallback, double least, double most) {
  const auto text = value(name);
  if (!text) return fallback;
  const auto parsed = parse_double(*text);
  if (parsed && std::isfinite(*parsed) && *parsed >= least && *parsed <= most) return *parsed;
  fault(name, fmt::format("\"{}\" is not a number from {} to {}", shortened(*text), least, most));
  return fallback;
}

double Reader::number_of(const QueueSpec& queue, std::string_view property,
                         std::string_view fallback_name, double fallback, double least,
                         double most) {
  const std::string name = fmt::format("{}.{}", queue.path.value(), property);
  if (value(name)) return number(name, fallback, least, most);
  return number(fallback_name, fallback, least, most);
}

std::int64_t Reader::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                             std::int64_t most) {
  const auto text = value(name);
  if (!text) return fallback;
  const auto parsed = parse_int(*text);
  if (parsed && *parsed >= least && *parsed <= most) return *parsed;
  fault(name,
        fmt::format("\"{}\" is not a whole number from {} to {}", shortened(*text), least, most));
  return fallback;
}

std::optional<Resources> Reader::parse_amounts(std::string_view text, std::string& why) const {
  Resources amounts;
  for (const std::string& part : split_list(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      why = fmt::format("\"{}\" is not name=amount", shortened(part));
      return std::nullopt;
    }
    std::string name{trim(std::string_view(part).substr(0, equals))};
    const std::string_view amount = trim(std::string_view(part).substr(equals + 1));
    if (to_lower(name) == "memory") name = "memory-mb";
    const auto index = types_.index_of(name);
    if (!index) {
      why = fmt::format("unknown resource \"{}\"", shortened(name));
      return std::nullopt;
    }
    const std::size_t digits = std::min(amount.find_first_not_of("0123456789"), amount.size());
    const auto number = parse_int(amount.substr(0, digits));
    const std::string& unit = types_.all()[*index].unit;
    const std::string_view given = trim(amount.substr(digits));
    const auto converted =
        number ? convert_unit(*number, given.empty() ? std::string_view(unit) : given, unit)
               : Result<std::int64_t>(fail(ErrorCode::kInvalidArgument, ""));
    if (!converted || *converted > kAmountMax) {
      why = fmt::format("\"{}\" is not an amount of {}", shortened(amount), name);
      return std::nullopt;
    }
    amounts.amount[*index] = *converted;
  }
  return amounts;
}

Capacity Reader::parse_capacity(const QueueSpec& queue, std::string_view property,
                                std::string_view text) {
  Capacity capacity;
  capacity.text = text;
  if (text.starts_with('[') && text.ends_with(']')) {
    capacity.mode = CapacityMode::kAbsolute;
    std::string why;
    const auto amounts = parse_amounts(text.substr(1, text.size() - 2), why);
    if (amounts) {
      capacity.absolute = *amounts;
    } else {
      fault(queue, property, fmt::format("\"{}\": {}", shortened(text), why));
    }
    return capacity;
  }
  std::string_view digits = text;
  double most = 100;
  const bool is_minimum = !property.ends_with("maximum-capacity");
  if (text.ends_with('w') && is_minimum) {
    capacity.mode = CapacityMode::kWeight;
    digits.remove_suffix(1);
    most = 1e9;
  } else if (text.ends_with('%')) {
    digits.remove_suffix(1);
  }
  const auto number = parse_double(trim(digits));
  if (number && std::isfinite(*number) && *number >= 0 && *number <= most) {
    capacity.value = *number;
  } else {
    fault(queue, property,
          fmt::format("\"{}\" is not a capacity; a percentage from 0 to 100 (12.5), {}or amounts "
                      "([memory=10240,vcores=12]) are accepted",
                      shortened(text), is_minimum ? "a weight (2w) " : ""));
  }
  return capacity;
}

void Reader::read_capacities(QueueSpec& queue, bool is_root) {
  const auto text = of(queue, "capacity");
  if (is_root) {
    queue.capacity = {CapacityMode::kPercent, 100, {}, text.value_or("100")};
    if (text && !text->starts_with('[') && !text->ends_with('w') &&
        parse_capacity(queue, "capacity", *text).value != 100) {
      fault(queue, "capacity", fmt::format("{} is set; root always has 100", shortened(*text)));
    }
  } else if (text) {
    queue.capacity = parse_capacity(queue, "capacity", *text);
  } else {
    fault(queue, "capacity", "is not set; give a percentage, a weight (2w) or amounts");
  }
  const std::string most = of(queue, "maximum-capacity").value_or("-1");
  if (is_root || most == "-1" || parse_double(most) == -1.0) {
    queue.maximum_capacity = {CapacityMode::kPercent, 100, {}, "100"};
    return;
  }
  queue.maximum_capacity = parse_capacity(queue, "maximum-capacity", most);
  const Capacity& least = queue.capacity;
  if (least.mode != queue.maximum_capacity.mode) return;
  const bool below = least.mode == CapacityMode::kAbsolute
                         ? !least.absolute.fits_in(queue.maximum_capacity.absolute)
                         : queue.maximum_capacity.value < least.value;
  if (below) {
    fault(queue, "maximum-capacity",
          fmt::format("{} is below the capacity {}", most, queue.capacity.text));
  }
}

void Reader::read_maximum_allocation(QueueSpec& queue, const QueueSpec* parent) {
  queue.maximum_allocation = parent != nullptr ? parent->maximum_allocation : limits_.maximum;
  const std::string path = queue.path.value();
  Resources& size = queue.maximum_allocation;
  if (const auto text = of(queue, "maximum-allocation")) {
    std::string why;
    const auto amounts = parse_amounts(*text, why);
    if (!amounts) fault(queue, "maximum-allocation", why);
    for (std::size_t i = 0; amounts && i < kResourceTypesMax; ++i) {
      if (amounts->amount[i] > 0) size.amount[i] = amounts->amount[i];
    }
  }
  size.amount[kMemory] = integer(path + ".maximum-allocation-mb", size.memory_mb(), 1, kAmountMax);
  size.amount[kVcores] = integer(path + ".maximum-allocation-vcores", size.vcores(), 1, kAmountMax);
  if (!size.fits_in(limits_.maximum)) {
    fault(queue, "maximum-allocation",
          fmt::format("Queue maximum allocation cannot be larger than the cluster setting for "
                      "queue {} max allocation per queue: {} cluster setting: {}",
                      path, to_string(size), to_string(limits_.maximum)));
  }
  if (!limits_.minimum.fits_in(size)) {
    fault(queue, "maximum-allocation",
          fmt::format("{} is below the cluster's minimum allocation {}", to_string(size),
                      to_string(limits_.minimum)));
  }
}

void Reader::read_user_weights(QueueSpec& queue) {
  const std::string head = fmt::format("{}{}.user-settings.", kPrefix, queue.path.value());
  const auto& all = settings_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    std::string_view rest = std::string_view(it->first).substr(head.size());
    if (!rest.ends_with(".weight")) continue;
    rest.remove_suffix(std::string_view(".weight").size());
    const double weight = number(std::string_view(it->first).substr(kPrefix.size()), 1, 0.001, 1e6);
    queue.user_weights.emplace(rest, weight);
  }
}

// A parent hands its policy down to the parents below it; a leaf has its own.
void Reader::read_order(QueueSpec& queue, const QueueSpec* parent) {
  const auto policy = of(queue, "ordering-policy");
  if (of(queue, "queues")) {
    queue.ordering_policy =
        policy.value_or(parent != nullptr ? parent->ordering_policy : "utilization");
    queue.children_by_priority = queue.ordering_policy == "priority-utilization";
    if (!queue.children_by_priority && queue.ordering_policy != "utilization") {
      fault(queue, "ordering-policy",
            fmt::format("\"{}\" is not known; utilization or priority-utilization of a parent",
                        shortened(queue.ordering_policy)));
    }
    return;
  }
  queue.ordering_policy = policy.value_or("fifo");
  if (queue.ordering_policy == "fair") {
    queue.app_order = AppOrder::kFair;
    queue.fair_by_size =
        to_lower(of(queue, "ordering-policy.fair.enable-size-based-weight").value_or("")) == "true";
  } else if (queue.ordering_policy != "fifo" && queue.ordering_policy != "fifo-for-pending-apps" &&
             queue.ordering_policy != "fifo-with-partitions") {
    fault(queue, "ordering-policy",
          fmt::format("\"{}\" is not known; fifo, fair, fifo-for-pending-apps or "
                      "fifo-with-partitions of a leaf",
                      shortened(queue.ordering_policy)));
  }
}

// <queue>.accessible-node-labels and what follows that name, one level for each label.
void Reader::read_labels(QueueSpec& queue, const QueueSpec* parent) {
  constexpr std::string_view kAccess = "accessible-node-labels";
  if (const auto text = list_of(queue, kAccess)) {
    for (const std::string& label : split_list(*text)) {
      queue.all_labels = queue.all_labels || label == "*";
      if (label != "*") queue.accessible_labels.insert(label);
    }
  } else {
    queue.all_labels = parent == nullptr || parent->all_labels;
    if (parent != nullptr) queue.accessible_labels = parent->accessible_labels;
  }
  const std::string head = fmt::format("{}{}.{}.", kPrefix, queue.path.value(), kAccess);
  const auto& all = settings_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    const std::string_view rest = std::string_view(it->first).substr(head.size());
    const std::size_t dot = rest.rfind('.');
    if (dot == rest.npos) continue;
    const std::string label{rest.substr(0, dot)};
    const std::string_view property = rest.substr(dot + 1);
    const std::string name = fmt::format("{}.{}.{}", kAccess, label, property);
    const auto text = of(queue, name);
    if (!text) continue;
    LabelSpec& spec = queue.labels[label];
    if (property == "capacity") spec.capacity = parse_capacity(queue, name, *text);
    if (property == "maximum-capacity" && *text != "-1") {
      spec.maximum_capacity = parse_capacity(queue, name, *text);
    }
    if (property == "maximum-am-resource-percent") {
      spec.maximum_am_share = number(fmt::format("{}.{}", queue.path.value(), name), 0.1, 0, 1);
    }
  }
  queue.default_label = of(queue, "default-node-label-expression")
                            .value_or(parent != nullptr ? parent->default_label : "");
  if (!queue.may_use_label(queue.default_label)) {
    fault(queue, "default-node-label-expression",
          fmt::format("\"{}\" is not among its accessible-node-labels ({})",
                      shortened(queue.default_label),
                      join(std::vector<std::string>(queue.accessible_labels.begin(),
                                                    queue.accessible_labels.end()),
                           ", ")));
  }
}

void Reader::read_parallel_users() {
  config_.maximum_parallel_apps_per_user =
      static_cast<std::int32_t>(integer("user.max-parallel-apps", kNoAppLimit, 1, kNoAppLimit));
  const std::string head = fmt::format("{}user.", kPrefix);
  const auto& all = settings_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    constexpr std::string_view kEnd = ".max-parallel-apps";
    std::string_view user = std::string_view(it->first).substr(head.size());
    if (!user.ends_with(kEnd)) continue;
    user.remove_suffix(kEnd.size());
    config_.maximum_parallel_apps_of_user.emplace(
        user,
        integer(std::string_view(it->first).substr(kPrefix.size()), kNoAppLimit, 1, kNoAppLimit));
  }
}

void Reader::read_leaf_limits(QueueSpec& queue) {
  const std::string path = queue.path.value();
  constexpr double kMost = 1e9;
  queue.minimum_user_limit_percent =
      number_of(queue, "minimum-user-limit-percent", "minimum-user-limit-percent", 100, 0, 100);
  queue.user_limit_factor =
      number_of(queue, "user-limit-factor", "user-limit-factor", 1, -1, kMost);
  if (queue.user_limit_factor < 0 && queue.user_limit_factor != -1) {
    fault(queue, "user-limit-factor", "must be 0 or more, or -1 for no limit");
  }
  queue.maximum_am_share =
      number_of(queue, "maximum-am-resource-percent", "maximum-am-resource-percent", 0.1, 0, 1);
  constexpr std::int64_t kMostApps = std::numeric_limits<std::int32_t>::max();
  std::int64_t apps = integer(path + ".maximum-applications", -1, -1, kMostApps);
  if (apps < 0) apps = integer("global-queue-max-application", -1, -1, kMostApps);
  if (apps >= 0) queue.maximum_apps = static_cast<std::int32_t>(apps);
  queue.maximum_parallel_apps = static_cast<std::int32_t>(
      integer(path + ".max-parallel-apps", integer("max-parallel-apps", kNoAppLimit, 1, kMostApps),
              1, kMostApps));
  queue.default_app_priority =
      static_cast<std::int32_t>(integer(path + ".default-application-priority", 0, 0, kMostApps));
  queue.maximum_app_lifetime_s =
      integer(path + ".maximum-application-lifetime", -1, -1, kAmountMax);
  queue.default_app_lifetime_s =
      integer(path + ".default-application-lifetime", -1, -1, kAmountMax);
  read_user_weights(queue);
}

QueueSpec Reader::read_queue(const std::string& path, const std::string& name,
                             const QueueSpec* parent) {
  QueueSpec queue;
  queue.path = QueuePath(path);
  queue.name = name;
  paths_.insert(path);
  read_capacities(queue, parent == nullptr);
  read_maximum_allocation(queue, parent);
  read_leaf_limits(queue);
  queue.priority = static_cast<std::int32_t>(integer(path + ".priority", 0, -1'000'000, 1'000'000));
  if (const auto state = of(queue, "state")) {
    const std::string upper = to_upper(*state);
    if (upper == "STOPPED") queue.state = QueueState::kStopped;
    if (upper != "STOPPED" && upper != "RUNNING") {
      fault(queue, "state",
            fmt::format("\"{}\" is not a state; RUNNING or STOPPED", shortened(*state)));
    }
  }
  queue.acl_submit = list_of(queue, "acl_submit_applications");
  queue.acl_administer = list_of(queue, "acl_administer_queue");
  queue.acl_max_priority = list_of(queue, "acl_application_max_priority");
  queue.disable_preemption =
      to_lower(of(queue, "disable_preemption")
                   .value_or(parent != nullptr && parent->disable_preemption ? "true" : "")) ==
      "true";
  read_order(queue, parent);
  read_labels(queue, parent);
  read_children(queue);
  if (parent == nullptr && queue.children.empty()) {
    fault(queue, "queues", "is not set; root needs at least one child queue");
  }
  check_siblings(queue);
  check_label_siblings(queue);
  check_unsupported(queue);
  return queue;
}

void Reader::read_children(QueueSpec& queue) {
  std::set<std::string> seen;
  for (const std::string& name : split_list(of(queue, "queues").value_or(""))) {
    const bool odd = name.find_first_of(".*[]= \t/\"'") != std::string::npos;
    if (odd) {
      fault(queue, "queues", fmt::format("\"{}\" is not a queue name", shortened(name)));
    } else if (!seen.insert(name).second) {
      fault(queue, "queues", fmt::format("\"{}\" is listed twice", shortened(name)));
    } else {
      queue.children.push_back(read_queue(queue.path.value() + "." + name, name, &queue));
    }
  }
}

void Reader::check_siblings(const QueueSpec& parent) {
  if (parent.children.empty()) return;
  double percent = 0;
  std::array<int, 3> modes{};
  Resources absolute;
  std::vector<std::string> list;
  for (const QueueSpec& child : parent.children) {
    ++modes[static_cast<std::size_t>(child.capacity.mode)];
    percent += child.capacity.mode == CapacityMode::kPercent ? child.capacity.value : 0;
    absolute += child.capacity.absolute;
    list.push_back(fmt::format("{} {}", child.name, child.capacity.text));
  }
  if (std::count(modes.begin(), modes.end(), 0) < 2) {
    faults_.push_back(fmt::format(
        "queue {}: its children mix percentages, weights and amounts ({}); use one of them",
        parent.path.value(), join(list, ", ")));
    return;
  }
  const bool zero_is_fine =
      percent == 0 && parent.capacity.mode == CapacityMode::kPercent && parent.capacity.value == 0;
  if (modes[0] > 0 && std::abs(percent - 100) > kSumTolerancePercent && !zero_is_fine) {
    faults_.push_back(fmt::format(
        "queue {}: Illegal capacity of {} for children of queue {}: {} add to {} %, not to 100 %",
        parent.path.value(), percent / 100, parent.name, join(list, ", "), percent));
  }
  if (modes[2] > 0 && parent.capacity.mode == CapacityMode::kAbsolute &&
      !absolute.fits_in(parent.capacity.absolute)) {
    faults_.push_back(fmt::format("queue {}: its children have {} together, more than its own {}",
                                  parent.path.value(), to_string(absolute),
                                  to_string(parent.capacity.absolute)));
  }
}

// Of a label the children have all of what their parent has, or say nothing of it.
void Reader::check_label_siblings(const QueueSpec& parent) {
  std::set<std::string> labels;
  for (const QueueSpec& child : parent.children) {
    for (const auto& [label, spec] : child.labels)
      labels.insert(label);
  }
  for (const std::string& label : labels) {
    double percent = 0;
    bool is_percent = true;
    std::vector<std::string> list;
    for (const QueueSpec& child : parent.children) {
      const auto own = child.labels.find(label);
      if (own == child.labels.end()) continue;
      const Capacity& capacity = own->second.capacity;
      is_percent = is_percent && capacity.mode == CapacityMode::kPercent;
      percent += capacity.value;
      list.push_back(fmt::format("{} {}", child.name, capacity.text));
    }
    if (!is_percent || percent == 0 || std::abs(percent - 100) <= kSumTolerancePercent) continue;
    faults_.push_back(fmt::format(
        "queue {}: Illegal capacity of {} for children of queue {} for label={}: {} add to {} %, "
        "not to 100 %",
        parent.path.value(), percent / 100, parent.name, label, join(list, ", "), percent));
  }
}

void Reader::check_unsupported(const QueueSpec& queue) {
  const auto warn = [&](std::string_view property, std::string_view text,
                        std::string_view instead) {
    config_.warnings.push_back(fmt::format("{}{}.{}={} is not supported yet; {}", kPrefix,
                                           queue.path.value(), property, shortened(text), instead));
  };
  if (const auto labels = of(queue, "accessible-node-labels"); labels && *labels != "*") {
    warn("accessible-node-labels", *labels, "all nodes are in the default partition");
  }
  for (const std::string_view property :
       {"reservable", "auto-create-child-queue.enabled", "auto-queue-creation-v2.enabled"}) {
    const auto text = of(queue, property);
    if (text && to_lower(*text) != "false") warn(property, *text, "the setting has no effect");
  }
}

// A setting of a queue that no "queues" list names is most often a misspelt name.
void Reader::check_strays() {
  const std::string head = std::string(kPrefix) + "root.";
  const auto& all = settings_.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    std::string_view path = std::string_view(it->first).substr(kPrefix.size());
    constexpr std::array<std::string_view, 5> kEnds = {".capacity", ".maximum-capacity", ".state",
                                                       ".queues", ".user-limit-factor"};
    for (const std::string_view end : kEnds) {
      if (!path.ends_with(end) || path.find("accessible-node-labels") != path.npos) continue;
      if (path.find("template") != path.npos) continue;
      path.remove_suffix(end.size());
      if (!paths_.contains(path)) {
        config_.warnings.push_back(
            fmt::format("{} ({}): there is no queue {}; did you forget it "
                        "in the \"queues\" of its parent?",
                        it->first, it->second.source, shortened(path)));
      }
      break;
    }
  }
}

Result<QueueConfig> Reader::read() {
  const std::string calculator = value("resource-calculator").value_or("DefaultResourceCalculator");
  if (calculator.ends_with("DominantResourceCalculator")) {
    config_.calculator = Calculator::kDominant;
  } else if (!calculator.ends_with("DefaultResourceCalculator")) {
    fault("resource-calculator",
          fmt::format("\"{}\" is not known; DefaultResourceCalculator or "
                      "DominantResourceCalculator of org.apache.hadoop.yarn.util.resource",
                      shortened(calculator)));
  }
  config_.maximum_apps = static_cast<std::int32_t>(
      integer("maximum-applications", 10000, 0, std::numeric_limits<std::int32_t>::max()));
  config_.queue_mappings = value("queue-mappings").value_or("");
  config_.queue_mappings_override =
      to_lower(value("queue-mappings-override.enable").value_or("")) == "true";
  if (!config_.queue_mappings.empty()) {
    config_.warnings.push_back(
        fmt::format("{}queue-mappings is not supported yet; applications go to the queue they "
                    "name",
                    kPrefix));
  }
  read_parallel_users();
  config_.root = read_queue("root", "root", nullptr);
  check_strays();
  if (faults_.empty()) return std::move(config_);
  return fail(ErrorCode::kInvalidArgument, join(faults_, "\n"), ErrorSubject::kQueue);
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
