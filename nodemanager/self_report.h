// What a node says of itself beside its size: the label it wants, and its attributes
// (yarn.nodemanager.node-labels.provider and yarn.nodemanager.node-attributes.provider = config).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::nm {

struct SelfReport {
  std::optional<std::vector<std::string>> labels;        // one, or none; unset: nothing is said
  std::optional<std::vector<NodeAttribute>> attributes;  // unset: nothing is said
  /// How often both are said again, in case the ResourceManager has lost or refused them.
  std::chrono::milliseconds labels_again{120'000};
  std::chrono::milliseconds attributes_again{120'000};
};

/// kInvalidArgument: a label or attribute that may not be; kUnsupported: another provider than
/// "config".
Result<SelfReport> read_self_report(const Settings& settings);

}  // namespace heddle::nm
