// Plan queues in the configuration: their settings, and what their children are made of. Internal
// to queues/.
#pragma once

#include <string>

#include "queues/config.h"
#include "queues/config_values.h"

namespace heddle::queues {

/// "<plan>-default": where applications without a reservation run.
std::string default_child_of(const std::string& plan_name);

/// Of a queue that is reservable.
PlanSettings read_plan(const QueueSpec& queue, ConfigValues& values);
/// With whatever reservations leave.
QueueSpec default_plan_child(const QueueSpec& plan);
QueueSpec reserved_queue(const QueueSpec& plan, const PlanShare& share);

}  // namespace heddle::queues
