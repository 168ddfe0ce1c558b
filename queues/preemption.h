// What preemption may do, and what it decided. docs/design/0008-preemption.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/types.h"

namespace heddle::queues {

/// Who is owed something first, inside a queue.
enum class InsideOrder : std::uint8_t { kUserLimitFirst, kPriorityFirst };

/// yarn.resourcemanager.scheduler.monitor.* and yarn.resourcemanager.monitor.capacity.preemption.*;
/// the names and defaults are Hadoop's.
struct PreemptionSettings {
  bool enabled = false;       // scheduler.monitor.enable
  bool observe_only = false;  // decides and tells, takes nothing
  std::int64_t interval_ms = 3000;
  std::int64_t grace_ms = 15000;  // max_wait_before_kill
  double total_per_round = 0.1;   // of the partition
  double ignored_over_capacity =
      0.1;                           // a queue may hold that much more than its guarantee in peace
  double natural_termination = 0.2;  // of what a queue lacks at a time, one container at least:
                                     // others end by themselves meanwhile
  bool every_type = false;           // conservative-drf: no type may fall below the guarantee
  bool for_reserved = false;         // victims also for large containers that room is kept for
  bool count_reserved = false;       // what is kept for large containers counts as held
  bool balance = false;              // beyond the guarantees, too
  std::int64_t balance_grace_ms = 300000;
  bool inside = false;  // inside a queue, too
  InsideOrder inside_order = InsideOrder::kUserLimitFirst;
  double inside_threshold = 0.5;    // of its guarantee a queue must hold
  double inside_per_round = 0.2;    // of its guarantee, in one look
  std::int64_t patience_ms = 0;     // how long a queue is owed something before anything is taken
  std::int64_t minimum_run_ms = 0;  // younger containers are left alone
  std::int64_t cooldown_ms = 0;     // between two losses of one application
  friend bool operator==(const PreemptionSettings&, const PreemptionSettings&) = default;
};

/// What room is kept for, and why somebody has to go for it.
enum class Purpose : std::uint8_t {
  kLarge,      // nobody has to: what comes free is kept together
  kGuarantee,  // a queue below its guarantee
  kBalance,    // a queue below its share beyond that
  kInside,     // a user below its limit or an application of higher priority in the same queue
};
std::string_view to_string(Purpose purpose);

/// A container that has to go, and for whom.
struct Victim {
  HoldId hold = 0;
  AttemptId attempt;
  NodeId node;
  Resources resources;
  AppId beneficiary;
  Purpose purpose = Purpose::kGuarantee;
  std::string reason;  // for a person
  bool beyond_shares =
      false;  // its queue is above its guarantee, and nobody above its share can go
};

/// What one look decided. A container marked as a victim stays one until it ends, is spared or is
/// killed.
struct PreemptionRound {
  std::vector<Victim> marked;   // warn their AMs
  std::vector<HoldId> spared;   // marked before; not needed any more
  std::vector<HoldId> overdue;  // marked, and their grace is over: end them now
  bool in_vain = false;         // somebody is owed what nobody could go for
};

}  // namespace heddle::queues
