// Queues and placement rules from the settings.
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "queues/config.h"
#include "queues/types.h"

namespace heddle::rm {

/// The queues with their placement. Reads the file of rules, if one is named. kInvalidArgument with
/// all faults of queues and rules, one a line. Logs what is there without effect.
Result<queues::QueueConfig> queue_config_from(const Settings& settings,
                                              const queues::Limits& limits,
                                              const ResourceTypes& types);

}  // namespace heddle::rm
