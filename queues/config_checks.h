// What queues have to be together. Internal to queues/config.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "queues/config_values.h"

namespace heddle::queues {

/// Capacities of the children of one queue: of one kind, and together what there is. Faults go to
/// `values`.
void check_siblings(const QueueSpec& parent, ConfigValues& values);
/// The same of each node label: the children have all of what their parent has, or say nothing.
void check_label_siblings(const QueueSpec& parent, ConfigValues& values);
/// Settings of queues that are not among `paths` and that nobody makes, one sentence each.
/// `makers`: paths of queues that get children by themselves.
std::vector<std::string> find_strays(const ConfigValues& values,
                                     const std::set<std::string, std::less<>>& paths,
                                     const std::set<std::string, std::less<>>& makers);

}  // namespace heddle::queues
