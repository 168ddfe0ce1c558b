#include "queues/config_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace heddle::queues {
namespace {

constexpr double kSumTolerancePercent = 0.05;  // what Hadoop allows siblings to miss 100 % by

using Paths = std::set<std::string, std::less<>>;

bool is_below_any(std::string_view path, const Paths& makers) {
  while (path.find('.') != path.npos) {
    path = path.substr(0, path.rfind('.'));
    if (makers.contains(path)) return true;
  }
  return false;
}

}  // namespace

void check_siblings(const QueueSpec& parent, ConfigValues& values) {
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
    values.fault(fmt::format(
        "queue {}: its children mix percentages, weights and amounts ({}); use one of them",
        parent.path.value(), join(list, ", ")));
    return;
  }
  const bool zero_is_fine =
      percent == 0 && parent.capacity.mode == CapacityMode::kPercent && parent.capacity.value == 0;
  if (modes[0] > 0 && std::abs(percent - 100) > kSumTolerancePercent && !zero_is_fine) {
    values.fault(fmt::format(
        "queue {}: Illegal capacity of {} for children of queue {}: {} add to {} %, not to 100 %",
        parent.path.value(), percent / 100, parent.name, join(list, ", "), percent));
  }
  if (modes[2] > 0 && parent.capacity.mode == CapacityMode::kAbsolute &&
      !absolute.fits_in(parent.capacity.absolute)) {
    values.fault(fmt::format("queue {}: its children have {} together, more than its own {}",
                             parent.path.value(), to_string(absolute),
                             to_string(parent.capacity.absolute)));
  }
}

// Of a label the children have all of what their parent has, or say nothing of it.
void check_label_siblings(const QueueSpec& parent, ConfigValues& values) {
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
    values.fault(fmt::format(
        "queue {}: Illegal capacity of {} for children of queue {} for label={}: {} add to {} %, "
        "not to 100 %",
        parent.path.value(), percent / 100, parent.name, label, join(list, ", "), percent));
  }
}

// A setting of a queue that no "queues" list names is most often a misspelt name.
std::vector<std::string> find_strays(const ConfigValues& values, const Paths& paths,
                                     const Paths& makers) {
  std::vector<std::string> found;
  const std::string head = std::string(kCapacityPrefix) + "root.";
  const auto& all = values.all();
  for (auto it = all.lower_bound(head); it != all.end() && it->first.starts_with(head); ++it) {
    std::string_view path = std::string_view(it->first).substr(kCapacityPrefix.size());
    constexpr std::array<std::string_view, 5> kEnds = {".capacity", ".maximum-capacity", ".state",
                                                       ".queues", ".user-limit-factor"};
    for (const std::string_view end : kEnds) {
      if (!path.ends_with(end) || path.find("accessible-node-labels") != path.npos) continue;
      if (path.find("template") != path.npos) continue;
      path.remove_suffix(end.size());
      if (!paths.contains(path) && !is_below_any(path, makers)) {
        found.push_back(
            fmt::format("{} ({}): there is no queue {}; did you forget it "
                        "in the \"queues\" of its parent?",
                        it->first, it->second.source, shortened(path)));
      }
      break;
    }
  }
  return found;
}

}  // namespace heddle::queues
