// Which of a daemon's settings are those of the queues, and all settings with others in their
// place.
#pragma once

#include <string_view>

#include "base/settings.h"
#include "rm/api/queue_changes.h"

namespace heddle::rm {

inline constexpr std::string_view kQueueFile = "capacity-scheduler.xml";

inline constexpr std::string_view kRootQueues = "yarn.scheduler.capacity.root.queues";

/// What stands in capacity-scheduler.xml, and what else of yarn.scheduler.capacity. is set in other
/// files. Neither defaults nor what the command line says: nobody can change these. Without any
/// queue: those of a queue "default" with 100 %.
QueueSettings queue_settings_of(const Settings& settings);

/// `settings` with `queues` in the place of its own; `source` is for messages.
Settings with_queue_settings(const Settings& settings, const QueueSettings& queues,
                             std::string_view source);

}  // namespace heddle::rm
