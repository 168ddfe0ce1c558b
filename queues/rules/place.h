// Which queue a submission goes to, and how that came about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "queues/rules/queue_view.h"
#include "queues/rules/rule.h"

namespace heddle::queues::rules {

struct Request {
  std::string user;
  std::vector<std::string> groups;  // the primary one first; empty: none is known
  std::string queue = "default";    // as submitted; "default" also where none was named
  std::string application;          // its name
};

enum class Outcome : std::uint8_t {
  kPlaced,
  kRejected,
  kAsRequested,  // no rule had a say: the queue that was asked for
};

struct Decision {
  Outcome outcome = Outcome::kAsRequested;
  std::string queue = {};   // kPlaced: the full path
  bool create = false;      // kPlaced: it has to be made first
  std::size_t rule = 0;     // the number of the one that decided; 0 = none did
  std::string reason = {};  // for an operator; names rules and queues
};

/// What one rule did.
struct Step {
  std::size_t rule = 0;
  std::string text = {};  // how the rule is written
  bool matched = false;
  std::string match = {};     // why, or why not
  std::string expanded = {};  // the path it came to; "" = none
  std::string effect = {};    // what followed
};

/// Pure. Equal arguments give an equal decision. Rules are tried in order; `path` takes a step for
/// each that was. Cost: O(rules), and a few look-ups for one that matches.
Decision place(const RuleSet& rules, const Request& request, const QueueView& queues,
               std::vector<Step>* path = nullptr);

}  // namespace heddle::queues::rules
