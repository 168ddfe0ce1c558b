// How the queues are configured: the settings in force, changes of them, and what they would do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/resources.h"
#include "queues/config_change.h"

namespace heddle::rm {

using QueueSettings = queues::SettingValues;
using QueueSettingsPtr = std::shared_ptr<const QueueSettings>;
using QueueConfigDiff = queues::ConfigDiff;

/// yarn.scheduler.configuration.store.class, as far as it matters here.
enum class QueueStore : std::uint8_t {
  kFile,    // capacity-scheduler.xml rules; changes come by refreshing
  kMemory,  // changes hold until the next start
  kKept     // changes are kept in the state store
};

/// A change as it is asked for.
struct QueueChange {
  queues::ConfigChange change;
  std::optional<std::int64_t> to_version;  // everything as it was then; before the rest of it
  bool dry_run = false;                    // answers what would be, and changes nothing
  bool with_diff = false;                  // the outcome tells `diff` and `shrinks`
};

/// One configuration that was in force.
struct QueueVersion {
  std::int64_t number = 0;
  WallTime since;
  std::string user;    // who changed it; "" = a start
  std::string change;  // in words
  bool from_file = false;
  QueueSettingsPtr settings;  // nullptr in a list
};

/// A queue that would have less than what runs in it.
struct QueueShrink {
  std::string queue;
  Resources used;
  Resources guaranteed;  // after the change
  Resources maximum;     // likewise
  std::int32_t apps = 0;
  bool above_maximum = false;  // else only above what is guaranteed
};

struct QueueChangeOutcome {
  std::int64_t version = 0;   // in force after it; of a dry run: before it
  QueueSettingsPtr settings;  // after it
  QueueConfigDiff diff;
  std::vector<QueueShrink> shrinks;
  std::vector<std::string> warnings;  // settings that have no effect
};

/// What is in force, for people and monitors.
struct QueueConfigState {
  QueueStore store = QueueStore::kFile;
  QueueVersion version;
  /// Why capacity-scheduler.xml is not what is in force, if so: an older version serves.
  std::string fault;
};

}  // namespace heddle::rm
