// The preemption ledger among the counters of a simulation.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "queues/preemption_ledger.h"

namespace heddle::sim {

/// Nothing where nothing was preempted, nor would have been.
inline void add_preemption(const queues::LedgerSums& sums,
                           std::vector<std::pair<std::string, std::int64_t>>& counters) {
  if (sums == queues::LedgerSums{}) return;
  counters.emplace_back("preemption claims", sums.claims);
  counters.emplace_back("claims served", sums.served);
  counters.emplace_back("claims in vain", sums.in_vain);
  counters.emplace_back("victims warned", sums.victims);
  counters.emplace_back("victims gone", sums.victims_gone);
  counters.emplace_back("victims in vain", sums.victims_in_vain);
  counters.emplace_back("victims observed", sums.observed_total);
  counters.emplace_back("lost MB hours", static_cast<std::int64_t>(sums.lost[kMemory] / 3600));
  counters.emplace_back("need to warning",
                        sums.claims > 0 ? sums.wait_ms / sums.claims : 0);  // ms, mean
}

}  // namespace heddle::sim
