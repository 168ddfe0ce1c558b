// The preemption ledger: what was kept for whom, who had to go for it, and whether it was in vain.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/preemption.h"

namespace heddle::queues {

/// Resource times seconds, by type.
using Work = std::array<double, kResourceTypesMax>;

struct LedgerVictim {
  HoldId hold = 0;
  AttemptId attempt;
  Resources size;
  std::int64_t ran_ms = 0;
  bool gone = false;  // it ended while it was marked, by itself or not
};

enum class ClaimEnd : std::uint8_t {
  kOpen,
  kServed,     // the waiter's container was placed there
  kWithdrawn,  // not needed any more, and nobody had gone
  kInVain,     // not needed any more, and somebody had gone
  kObserved,   // observe_only: nobody was marked
};
std::string_view to_string(ClaimEnd end);

/// One claim: a container of a waiter and those who had to go for it.
struct LedgerEntry {
  std::uint64_t claim = 0;
  AppId waiter;
  NodeId node;
  Resources size;
  Purpose purpose = Purpose::kGuarantee;
  std::int64_t needed_ms = 0;  // since when it was owed
  std::int64_t warned_ms = 0;
  std::int64_t ended_ms = 0;
  ClaimEnd end = ClaimEnd::kOpen;
  std::vector<LedgerVictim> victims;
};

struct LedgerSums {
  std::int64_t claims = 0;
  std::int64_t served = 0;
  std::int64_t withdrawn = 0;
  std::int64_t in_vain = 0;
  std::int64_t victims = 0;          // marked
  std::int64_t victims_gone = 0;     // of these
  std::int64_t victims_in_vain = 0;  // of these
  std::int64_t observed_claims = 0;  // observe_only: in the last look
  std::int64_t observed_victims = 0;
  std::int64_t observed_total = 0;  // containers that would have been marked, each counted once
  std::int64_t wait_ms = 0;         // from need to warning, of all claims
  std::int64_t wait_max_ms = 0;
  Work lost{};          // by those who have gone
  Work lost_in_vain{};  // of this
  friend bool operator==(const LedgerSums&, const LedgerSums&) = default;
};

/// Sums since the start, and the last kEntriesMax claims. Not thread-safe.
class PreemptionLedger {
 public:
  static constexpr std::size_t kEntriesMax = 256;

  void open(LedgerEntry entry);
  /// A victim of the claim has ended.
  void lost(std::uint64_t claim, HoldId hold, std::int64_t ran_ms);
  void close(std::uint64_t claim, bool served, std::int64_t now_ms);
  /// Of a look with observe_only: would be made.
  void observe(LedgerEntry entry);
  void begin_look();

  const LedgerSums& sums() const { return sums_; }
  const std::map<std::uint64_t, LedgerEntry>& open_claims() const { return open_; }
  /// Those that have ended, the newest last.
  const std::deque<LedgerEntry>& closed() const { return closed_; }

 private:
  void keep(LedgerEntry entry);

  LedgerSums sums_;
  std::map<std::uint64_t, LedgerEntry> open_;
  std::deque<LedgerEntry> closed_;
  std::set<HoldId> observed_;  // in this look
  std::set<HoldId> observed_before_;
};

}  // namespace heddle::queues
