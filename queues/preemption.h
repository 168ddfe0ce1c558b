// What preemption may do, and what it decided. docs/design/0008-preemption.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/types.h"

namespace heddle::queues {

/// yarn.resourcemanager.scheduler.monitor.* and yarn.resourcemanager.monitor.capacity.preemption.*;
/// the names and defaults are Hadoop's.
struct PreemptionSettings {
  bool enabled = false;       // scheduler.monitor.enable
  bool observe_only = false;  // decides and tells, takes nothing
  std::int64_t interval_ms = 3000;
  std::int64_t grace_ms = 15000;  // max_wait_before_kill
  double total_per_round = 0.1;   // of the partition
  double ignored_over_capacity =
      0.1;                          // a queue may hold that much more than its guarantee in peace
  std::int64_t patience_ms = 0;     // how long a queue is owed something before anything is taken
  std::int64_t minimum_run_ms = 0;  // younger containers are left alone
  std::int64_t cooldown_ms = 0;     // between two losses of one application
};

/// A container that has to go, and for whom.
struct Victim {
  HoldId hold = 0;
  AttemptId attempt;
  NodeId node;
  Resources resources;
  AppId beneficiary;
  std::string reason;  // for a person
};

/// What one look decided. A container marked as a victim stays one until it ends, is spared or is
/// killed.
struct PreemptionRound {
  std::vector<Victim> marked;   // warn their AMs
  std::vector<HoldId> spared;   // marked before; not needed any more
  std::vector<HoldId> overdue;  // marked, and their grace is over: end them now
};

}  // namespace heddle::queues
