// What both fuzzers of placement rules do with rules that were taken: submissions are placed, twice
// alike, and only into leaves that are there or may be made below a parent that is.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "queues/rules/placement.h"

namespace heddle::queues::rules {

inline Settings fuzz_queues() {
  Settings settings;
  const auto set = [&](const char* queue, const char* value) {
    settings.set(std::string("yarn.scheduler.capacity.") + queue, {value, "fuzz", false});
  };
  set("root.queues", "default,a,users,twin,flex,managed");
  set("root.users.queues", "ann,bob,twin");
  set("root.flex.auto-queue-creation-v2.enabled", "true");
  set("root.managed.auto-create-child-queue.enabled", "true");
  return settings;
}

/// The longest part of the path that names a queue; "" = none.
inline std::string nearest_above(std::string path, const QueueTree& queues) {
  while (!path.empty() && !queues.find(path)) {
    const auto dot = path.rfind('.');
    path.resize(dot == std::string::npos ? 0 : dot);
  }
  return path;
}

inline void try_rules(const RuleSet& rules, const QueueTree& queues) {
  for (const Request& request :
       {Request{"ann", {"users", "a"}, "default", "pi"}, Request{"b.b", {}, "a", "users.ann"},
        Request{"", {"", "%user"}, "%default", "%application"}}) {
    std::vector<Step> path;
    const Decision decision = place(rules, request, queues, &path);
    const Decision again = place(rules, request, queues);
    if (again.outcome != decision.outcome || again.queue != decision.queue) std::abort();
    if (path.size() > rules.rules.size()) std::abort();
    if (decision.outcome != Outcome::kPlaced) continue;
    const auto queue = queues.find(decision.queue);
    if (decision.create) {
      const auto above = queues.find(nearest_above(decision.queue, queues));
      if (queue || !above || above->kind == QueueKind::kLeaf) std::abort();
      continue;
    }
    if (!queue || queue->kind != QueueKind::kLeaf || queue->path != decision.queue) std::abort();
  }
}

}  // namespace heddle::queues::rules
