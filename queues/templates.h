// What queues get that are made for applications: by the templates of the queue above them. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "queues/config.h"

namespace heddle::queues {

class QueueTemplates {
 public:
  using Paths = std::set<std::string, std::less<>>;
  /// `listed`: queues that the settings name; `makers`: those that get children by themselves.
  QueueTemplates(const Settings& settings, const Paths& listed, const Paths& makers,
                 const Limits& limits, const ResourceTypes& types);

  /// A child of that name without children of its own. What is set for its path comes before the
  /// template for its kind, and that before the common one. kInvalidArgument: with all faults.
  Result<QueueSpec> make(const QueueSpec& parent, const std::string& name, bool leaf) const;

 private:
  Settings settings_of(const QueueSpec& parent, const std::string& name, bool leaf) const;

  std::map<std::string, std::string, std::less<>> of_no_queue_;  // by full name
  std::map<std::string, std::string, std::less<>> of_paths_;  // templates, and of paths not there
  Limits limits_;
  ResourceTypes types_;
};

}  // namespace heddle::queues
