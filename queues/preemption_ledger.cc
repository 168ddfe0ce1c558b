#include "queues/preemption_ledger.h"

#include <algorithm>
#include <utility>

namespace heddle::queues {
namespace {

void add_work(Work& sum, const LedgerVictim& victim) {
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    sum[i] +=
        static_cast<double>(victim.size.amount[i]) * static_cast<double>(victim.ran_ms) / 1000;
  }
}

}  // namespace

std::string_view to_string(Purpose purpose) {
  switch (purpose) {
    case Purpose::kLarge: return "reservation";
    case Purpose::kGuarantee: return "guarantee";
    case Purpose::kBalance: return "balance";
    case Purpose::kInside: return "intra-queue";
  }
  return "";
}

std::string_view to_string(ClaimEnd end) {
  switch (end) {
    case ClaimEnd::kOpen: return "open";
    case ClaimEnd::kServed: return "served";
    case ClaimEnd::kWithdrawn: return "withdrawn";
    case ClaimEnd::kInVain: return "in-vain";
    case ClaimEnd::kObserved: return "observed";
  }
  return "";
}

void PreemptionLedger::open(LedgerEntry entry) {
  const std::int64_t waited = std::max<std::int64_t>(entry.warned_ms - entry.needed_ms, 0);
  ++sums_.claims;
  sums_.victims += static_cast<std::int64_t>(entry.victims.size());
  sums_.wait_ms += waited;
  sums_.wait_max_ms = std::max(sums_.wait_max_ms, waited);
  const std::uint64_t claim = entry.claim;
  open_.insert_or_assign(claim, std::move(entry));
}

void PreemptionLedger::lost(std::uint64_t claim, HoldId hold, std::int64_t ran_ms) {
  const auto entry = open_.find(claim);
  if (entry == open_.end()) return;
  for (LedgerVictim& victim : entry->second.victims) {
    if (victim.gone || victim.hold != hold) continue;
    victim.gone = true;
    victim.ran_ms = ran_ms;
    ++sums_.victims_gone;
    add_work(sums_.lost, victim);
    return;
  }
}

void PreemptionLedger::close(std::uint64_t claim, bool served, std::int64_t now_ms) {
  auto found = open_.extract(claim);
  if (found.empty()) return;
  LedgerEntry& entry = found.mapped();
  const auto gone = std::ranges::count_if(entry.victims, &LedgerVictim::gone);
  entry.ended_ms = now_ms;
  entry.end = served ? ClaimEnd::kServed : gone > 0 ? ClaimEnd::kInVain : ClaimEnd::kWithdrawn;
  ++(served ? sums_.served : gone > 0 ? sums_.in_vain : sums_.withdrawn);
  if (entry.end == ClaimEnd::kInVain) {
    sums_.victims_in_vain += gone;
    for (const LedgerVictim& victim : entry.victims) {
      if (victim.gone) add_work(sums_.lost_in_vain, victim);
    }
  }
  keep(std::move(entry));
}

void PreemptionLedger::begin_look() {
  observed_before_ = std::exchange(observed_, {});
  sums_.observed_claims = sums_.observed_victims = 0;
}

void PreemptionLedger::observe(LedgerEntry entry) {
  ++sums_.observed_claims;
  sums_.observed_victims += static_cast<std::int64_t>(entry.victims.size());
  bool is_new = false;
  for (const LedgerVictim& victim : entry.victims) {
    const bool first =
        observed_.insert(victim.hold).second && !observed_before_.contains(victim.hold);
    sums_.observed_total += first ? 1 : 0;
    is_new = is_new || first;
  }
  if (!is_new) return;  // told in the look before
  entry.end = ClaimEnd::kObserved;
  entry.ended_ms = entry.warned_ms;
  keep(std::move(entry));
}

void PreemptionLedger::keep(LedgerEntry entry) {
  if (closed_.size() == kEntriesMax) closed_.pop_front();
  closed_.push_back(std::move(entry));
}

}  // namespace heddle::queues
