// All that decides where submissions go, read from the settings: rules, queues, priorities of
// workflows, and users that are named by tags.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "queues/rules/parse.h"
#include "queues/rules/place.h"
#include "queues/rules/priorities.h"
#include "queues/rules/queue_tree.h"

namespace heddle::queues::rules {

/// Lets trusted submitters place work as the user that a tag "userid=NAME" names.
struct TagUsers {
  bool enabled = false;              // yarn.resourcemanager.application-tag-based-placement.enable
  std::vector<std::string> trusted;  // ....username.whitelist

  std::optional<std::string> find(const std::string& user, const std::set<std::string>& tags) const;
};

struct Placement {
  QueueTree queues;
  RuleSet rules;
  WorkflowPriorities priorities;
  TagUsers tag_users;
  std::vector<std::string> warnings;  // of all of them, for the log
};

/// The file of yarn.scheduler.capacity.mapping-rule-json-file, where it is the one in force; "".
std::string rule_file_of(const Settings& settings);

/// `rule_file_text`: what stands in that file. kInvalidArgument with all faults, one a line.
Result<Placement> parse_placement(const Settings& settings, std::string_view rule_file_text = "");

}  // namespace heddle::queues::rules
