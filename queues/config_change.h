// A change of the queues as a value: applied to settings, checked against what is running, and told
// as a difference. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/resources.h"
#include "queues/config.h"
#include "queues/types.h"

namespace heddle::queues {

class Scheduler;

/// Settings by full name ("yarn.scheduler.capacity.root.queues"), before ${...} substitution.
using SettingValues = std::map<std::string, std::string, std::less<>>;
/// nullopt: the setting is taken away.
using SettingUpdates = std::map<std::string, std::optional<std::string>, std::less<>>;

/// Settings of one queue, by the name behind its path: "capacity", "user-limit-factor". A blank
/// value takes the setting away, as nullopt does.
struct QueueUpdate {
  std::string queue;  // full path
  SettingUpdates values = {};
};

/// What Hadoop calls sched-conf. Carried out in the order of the members.
struct ConfigChange {
  std::optional<SettingValues> replace = {};  // all settings are these: a whole file
  std::vector<std::string> remove = {};       // full paths
  std::vector<QueueUpdate> add = {};
  std::vector<QueueUpdate> update = {};
  SettingUpdates global = {};  // by full name
  bool empty() const {
    return !replace && remove.empty() && add.empty() && update.empty() && global.empty();
  }
};

/// How large one change, and all settings together, may be.
inline constexpr std::size_t kSettingNameMax = 1024;
inline constexpr std::size_t kSettingValueMax = 64_KiB;
inline constexpr std::size_t kSettingsBytesMax = 8_MiB;  // as much as a file may have

/// The settings after the change, and everything that is wrong with it, one fault a string. The
/// texts are Hadoop's where it refuses the same.
struct Changed {
  SettingValues settings;
  std::vector<std::string> faults;
};
Changed apply_change(const SettingValues& now, const ConfigChange& change);

/// One line for a history: "add root.a; update root.b (capacity=40); remove root.c".
std::string describe(const ConfigChange& change);

/// Whether the path is a queue by the "queues" lists of the settings.
bool has_queue(const SettingValues& settings, std::string_view path);

/// Why the queues that run now may not become `next`: a queue that would vanish, or get children,
/// while it has applications or is not stopped. `next_settings` may say that it is to be stopped.
std::vector<std::string> transition_faults(const Scheduler& scheduler, const QueueConfig& next,
                                           const SettingValues& next_settings);

/// What a queue has of a cluster.
struct QueueShare {
  double share = 0;          // of the cluster, as a fraction
  double maximum_share = 0;  // likewise
  Resources guaranteed;
  Resources maximum;
  QueueState state = QueueState::kRunning;  // as configured, its parents counted
  bool leaf = true;
};

struct SettingDiff {
  std::string name;  // of a queue's: the part behind the path
  std::optional<std::string> before;
  std::optional<std::string> after;
};

/// A queue whose settings or whose share differ. No `before`: it is new; no `after`: it is gone.
struct QueueDiff {
  std::string path;
  std::vector<SettingDiff> settings;
  std::optional<QueueShare> before;
  std::optional<QueueShare> after;
};

struct ConfigDiff {
  std::vector<QueueDiff> queues;    // by path
  std::vector<SettingDiff> global;  // of no queue, by full name
  bool empty() const { return queues.empty() && global.empty(); }
};

/// Settings with what the parser made of them.
struct ConfigView {
  const SettingValues& settings;
  const QueueConfig& config;
};

/// Shares are those on a cluster of this size; both configurations must have been accepted.
ConfigDiff diff_configs(const ConfigView& before, const ConfigView& after, const Limits& limits,
                        const Resources& cluster);

/// A queue in which applications may be at home, and after the change not any more.
struct LostHome {
  const QueueSpec& queue;  // as it was
  bool stopped = false;    // itself or a queue above it, as configured
  bool gone = false;       // else it was a leaf and gets children
};

/// The queues that `after` does not have, and leaves that get children; parents first.
void for_each_lost_home(const QueueSpec& before, const QueueSpec& after,
                        const std::function<void(const LostHome&)>& tell);

}  // namespace heddle::queues
