// The difference of two configurations, with what it does to each queue's share.
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "queues/config_change.h"
#include "queues/config_values.h"
#include "queues/scheduler.h"

namespace heddle::queues {
namespace {

constexpr double kShareTolerance = 1e-9;

using Shares = std::map<std::string, QueueShare, std::less<>>;

void collect_states(const QueueSpec& queue, bool parent_stopped, Shares& shares) {
  const bool stopped = parent_stopped || queue.state != QueueState::kRunning;
  QueueShare& share = shares[queue.path.value()];
  share.state = stopped ? QueueState::kStopped : QueueState::kRunning;
  share.leaf = queue.is_leaf();
  for (const QueueSpec& child : queue.children)
    collect_states(child, stopped, shares);
}

/// As the scheduler itself would work them out on one node as large as the cluster.
Shares shares_of(const QueueConfig& config, const Limits& limits, const Resources& cluster) {
  Shares shares;
  collect_states(config.root, false, shares);
  Scheduler scheduler;
  if (!scheduler.configure(config, limits)) return shares;
  if (!cluster.is_zero()) scheduler.add_node(NodeId{"cluster", 1}, "/default-rack", cluster);
  for (auto& [path, share] : shares) {
    const auto report = scheduler.queue(QueuePath(path));
    if (!report) continue;
    share.share = report->absolute_capacity;
    share.maximum_share = report->absolute_maximum_capacity;
    share.guaranteed = report->guaranteed;
    share.maximum = report->maximum;
  }
  return shares;
}

bool same(const QueueShare& a, const QueueShare& b) {
  const auto near = [](double x, double y) { return std::abs(x - y) <= kShareTolerance; };
  return near(a.share, b.share) && near(a.maximum_share, b.maximum_share) &&
         a.guaranteed == b.guaranteed && a.maximum == b.maximum && a.state == b.state &&
         a.leaf == b.leaf;
}

/// The longest path of a queue that the name of a setting begins with, and the rest of the name.
std::pair<std::string_view, std::string_view> owner_of(std::string_view name, const Shares& before,
                                                       const Shares& after) {
  if (!name.starts_with(kCapacityPrefix)) return {"", name};
  const std::string_view rest = name.substr(kCapacityPrefix.size());
  for (auto dot = rest.rfind('.'); dot != rest.npos && dot > 0; dot = rest.rfind('.', dot - 1)) {
    const std::string_view path = rest.substr(0, dot);
    if (before.contains(path) || after.contains(path)) return {path, rest.substr(dot + 1)};
  }
  return {"", name};
}

class Differ {
 public:
  Differ(Shares before, Shares after) : before_(std::move(before)), after_(std::move(after)) {}

  void setting(const std::string& name, std::optional<std::string> before,
               std::optional<std::string> after) {
    if (before == after) return;
    const auto [path, rest] = owner_of(name, before_, after_);
    auto& into = path.empty() ? out_.global : settings_[std::string(path)];
    into.push_back({std::string(rest), std::move(before), std::move(after)});
  }

  ConfigDiff finish() {
    std::set<std::string> paths;
    for (const auto* side : {&before_, &after_}) {
      for (const auto& [path, share] : *side)
        paths.insert(path);
    }
    for (const std::string& path : paths) {
      QueueDiff diff;
      diff.path = path;
      if (const auto at = before_.find(path); at != before_.end()) diff.before = at->second;
      if (const auto at = after_.find(path); at != after_.end()) diff.after = at->second;
      if (const auto at = settings_.find(path); at != settings_.end()) {
        diff.settings = std::move(at->second);
      }
      const bool moved = !diff.before || !diff.after || !same(*diff.before, *diff.after);
      if (moved || !diff.settings.empty()) out_.queues.push_back(std::move(diff));
    }
    return std::move(out_);
  }

 private:
  Shares before_;
  Shares after_;
  std::map<std::string, std::vector<SettingDiff>> settings_;  // by queue
  ConfigDiff out_;
};

}  // namespace

ConfigDiff diff_configs(const ConfigView& before, const ConfigView& after, const Limits& limits,
                        const Resources& cluster) {
  Differ differ(shares_of(before.config, limits, cluster),
                shares_of(after.config, limits, cluster));
  auto was = before.settings.begin();
  auto is = after.settings.begin();
  while (was != before.settings.end() || is != after.settings.end()) {
    const bool only_before =
        is == after.settings.end() || (was != before.settings.end() && was->first < is->first);
    const bool only_after =
        was == before.settings.end() || (is != after.settings.end() && is->first < was->first);
    if (only_before) {
      differ.setting(was->first, was->second, std::nullopt);
      ++was;
    } else if (only_after) {
      differ.setting(is->first, std::nullopt, is->second);
      ++is;
    } else {
      differ.setting(was->first, was->second, is->second);
      ++was;
      ++is;
    }
  }
  return differ.finish();
}

}  // namespace heddle::queues
