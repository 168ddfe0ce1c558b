// The scheduler's state: queues, users, applications, groups of asks, and the demand lists that tie
// them together. Internal to queues/.
//
// Demand lists. Demand is sorted by partition and container size (one small number interned in
// CapTable): every level of root > queue > leaf > user > application > ask group holds, per such
// number, its children that have demand of it and may be served as far as they themselves are
// concerned. A child that is at a limit is simply not listed, so nobody below it is looked at until
// the limit moves.
//
// What every placement touches stands first in each struct, so that it shares lines of memory.
#pragma once

#include <algorithm>
#include <array>
#include <boost/container/flat_set.hpp>
#include <boost/container/small_vector.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/config.h"
#include "queues/constraints.h"
#include "queues/holds.h"
#include "queues/place_list.h"
#include "queues/preemption.h"
#include "queues/tag_index.h"
#include "queues/types.h"

namespace heddle::queues {

using ClaimId = std::uint64_t;
using CapId = std::uint32_t;  // a container size in a partition, in CapTable

/// A value for each partition; made when it is first asked for.
template <class T>
class PerPartition {
 public:
  T& operator[](PartitionId partition) {
    if (partition == kDefaultPartition) return default_;
    if (partition > others_.size()) others_.resize(partition);
    return others_[partition - 1];
  }
  const T& operator[](PartitionId partition) const {
    static const T kNothing{};
    if (partition == kDefaultPartition) return default_;
    return partition <= others_.size() ? others_[partition - 1] : kNothing;
  }
  PartitionId size() const { return static_cast<PartitionId>(others_.size() + 1); }

 private:
  T default_{};
  std::vector<T> others_;
};

/// Sums of what is asked for may grow beyond any bound and wrap around; they come out right again
/// when it is taken back. They are shown, and decide nothing.
inline void add_asked(Resources& sum, const Resources& size, std::int64_t times) {
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    sum.amount[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum.amount[i]) +
                                              static_cast<std::uint64_t>(size.amount[i]) *
                                                  static_cast<std::uint64_t>(times));
  }
}

/// Demand of one size below one parent.
template <class Child>
struct Demand {
  CapId cap = 0;
  bool shut = false;    // this parent has no room for the size under its own limit
  bool listed = false;  // this parent stands in the list of its own parent
  bool stale = false;   // at a place that is put right only when there is room for the size
  Place listed_at;
  PlaceList<Child> ready;
};

template <class Child>
struct DemandTable {
  // A handful: one per size wanted below.
  boost::container::small_vector<Demand<Child>, 1> rows;

  Demand<Child>* find(CapId cap) {
    for (Demand<Child>& row : rows) {
      if (row.cap == cap) return &row;
    }
    return nullptr;
  }
  Demand<Child>& get(CapId cap) {
    if (Demand<Child>* row = find(cap)) return *row;
    rows.emplace_back();
    rows.back().cap = cap;
    return rows.back();
  }
  void drop_if_idle(CapId cap) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].cap != cap) continue;
      if (!rows[i].ready.empty() || rows[i].listed) return;
      if (i + 1 != rows.size()) rows[i] = std::move(rows.back());
      rows.pop_back();
      return;
    }
  }
};

struct App;
struct User;
struct Queue;
struct AskGroup;

struct AskRow {
  std::int32_t count = 0;
  bool relax = true;
};

/// Room on one node that is kept for a container of `group` until it is enough.
struct Claim {
  AskGroup* group = nullptr;
  NodeIndex::Slot node = NodeIndex::kNone;
  Resources held;
  Purpose purpose = Purpose::kLarge;
  std::vector<HoldId> victims;  // have to go for it
  // kInside: what victims have left below the limits of their queues, no more than its size; kept
  // there for it as `held` is on the node.
  Resources credit;
};

/// Of asks with tags or a constraint.
struct Tagged {
  std::int64_t request_id = 0;  // as asked; that of the group is its own
  TagSetId tags = 0;
  ConstraintPtr own;  // of the ask itself; nullptr: none
  ConstraintPtr all;  // with that of the application; nullptr: any node will do
  std::int32_t tries = 0;
  std::shared_ptr<const std::string> asked;
  // While it is parked:
  std::vector<TagKey> watched;
  std::optional<std::int64_t> due_ms;
};

/// All asks of one application with one (priority, allocation request id).
struct AskGroup {
  App* app = nullptr;
  std::int32_t priority = 0;
  std::int32_t total = 0;  // of the "*" row
  std::int64_t request_id = -1;
  CapId cap = 0;
  bool has_cap = false;
  bool is_am = false;
  bool relax = true;                // of the "*" row
  bool parked = false;              // waits for room on certain nodes; in Lots
  std::int32_t counted_total = 0;   // in its application's pending sums, of size cap
  std::int64_t waits_since_ms = 0;  // for its next container
  std::uint64_t serial = 0;         // names the group in waiting lists
  std::unique_ptr<Tagged> tagged;   // nullptr: plain asks
  // Of a Growth: one container that is there, on one node. It goes before the others.
  std::uint64_t ticket = 0;
  HoldId hold = 0;
  HoldId bare = 0;  // whose tags the container takes over
  std::map<std::string, AskRow, std::less<>> hosts;
  std::map<std::string, AskRow, std::less<>> racks;
  std::vector<ClaimId> claims;  // room kept for its containers
  std::vector<std::string> parked_at;
  std::uint64_t next_look = 0;      // of preemption; looks before it pass it by
  std::uint32_t refused_looks = 0;  // while it is parked: those that found nobody who may go
  NodeId only_on;                   // of a Growth
  Place place() const {
    return ticket == 0 ? Place{priority, 0, request_id}
                       : Place{priority, -1, static_cast<std::int64_t>(ticket)};
  }
  std::tuple<std::int32_t, std::int64_t, std::uint64_t> key() const {
    return {priority, request_id, ticket};
  }
  std::int64_t shown_id() const { return is_am ? -1 : tagged ? tagged->request_id : request_id; }
};

struct AppPart {
  Resources used;
  Resources pending;
  std::int64_t pending_containers = 0;
  bool demands = false;  // counted in UserPart::demanding
};

struct App {
  Queue* leaf = nullptr;
  User* user = nullptr;
  std::int64_t sequence = 0;  // order of submission
  std::int32_t priority = 0;
  bool active = false;   // has its share of AMs
  bool waiting = false;  // in the lists of those that want one
  bool running = false;  // counts in max-parallel-apps
  bool held = false;     // in User::held, until max-parallel-apps lets it run
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  HoldTable::Index holds = HoldTable::kNone;  // the newest
  PerPartition<AppPart> parts;
  DemandTable<AskGroup> demand;
  std::optional<AttemptId> attempt;
  std::set<std::string, std::less<>> blacklist;
  std::int64_t last_loss_ms = std::numeric_limits<std::int64_t>::min() / 2;  // by preemption
  AppId id;
  UserName user_name;
  std::optional<AmAsk> held_am;
  Resources am_charge;
  PartitionId am_partition = kDefaultPartition;
  CapId am_cap = 0;
  std::map<std::tuple<std::int32_t, std::int64_t, std::uint64_t>, std::unique_ptr<AskGroup>> groups;
  Resources held_by_claims;  // on nodes
  TagIndex::Texts tags;      // of the application; nullptr: none
  std::map<std::string, ConstraintPtr, std::less<>> constraints;  // by allocation tag
  /// Groups of tagged asks, by what these say.
  std::multimap<std::pair<std::int32_t, std::int64_t>, AskGroup*> tagged;
  Resources used() const {
    Resources sum;
    for (PartitionId at = 0; at < parts.size(); ++at)
      sum += parts[at].used;
    return sum;
  }
  Resources pending() const {
    Resources sum;
    for (PartitionId at = 0; at < parts.size(); ++at)
      add_asked(sum, parts[at].pending, 1);
    return sum;
  }
  Place turn() const { return {-std::int64_t{priority}, 0, sequence}; }  // in order of submission
  Place place() const;  // as the ordering policy of its leaf says
};

struct UserPart {
  Resources used;
  Place tracked_at;
  bool over = false;             // above its user limit: nothing of it is listed
  bool tracked = false;          // in LeafPart::by_use (or over_by_use)
  std::int32_t demanding = 0;    // active applications that want containers
  std::int32_t active_apps = 0;  // by the partition of their AM
  Resources leaving;             // marked, among what is used
  Resources claimed;             // sizes of claims, full or not
  Resources am_used;
};

struct User {
  Queue* leaf = nullptr;
  double weight = 1;
  std::int64_t serial = 0;  // among those of the leaf, in order of their coming
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  Resources pending;
  DemandTable<App> demand;
  PerPartition<UserPart> parts;
  UserName name;
  std::int32_t apps = 0;
  std::int32_t active_apps = 0;
  std::int32_t lowest_holding = 0;    // priority of its applications with containers; of preemption
  DemandTable<App> waiting;           // applications not active yet, by the size of their AM
  std::map<std::int64_t, App*> held;  // by submission
};

struct LeafPart {
  Resources active_used;   // by users that want more
  Resources user_limit;    // of a user with weight 1
  double user_shares = 0;  // of the partition that its users have, where several types count
  double active_weight = 0;
  std::int32_t active_users = 0;
  std::int32_t active_apps = 0;  // by the partition of their AM
  // Users that want containers, by use over weight: those that may go on, those above the limit.
  PlaceList<User> by_use;
  PlaceList<User> over_by_use;
  Resources am_used;
  Resources am_limit;
  Resources user_am_limit;            // of a user with weight 1
  Resources am_leaving;               // marked, among am_used
  std::int64_t owed_since_ms = -1;    // below its guarantee with demand that finds no room; -1: not
  std::int64_t inside_since_ms = -1;  // somebody in it is owed something by another in it; -1: no
};

struct Leaf {
  DemandTable<User> demand;
  PerPartition<LeafPart> parts;
  std::map<std::string, std::unique_ptr<User>, std::less<>> users;
  std::map<Place, App*> apps;
  DemandTable<User> waiting;
  std::int32_t active_apps = 0;
  std::int64_t next_user = 0;
};

/// What a queue may have and has of one partition.
struct QueuePart {
  Resources used;
  Resources maximum;
  std::array<double, kResourceTypesMax> guarantee{};  // exact
  double ratio = 0;                                   // used / guarantee, of the fullest type
  std::int64_t rank = 0;     // among all queues: larger guarantee first, then path
  std::int32_t keeping = 0;  // claims that something is kept for
  bool beyond_zone =
      false;            // of preemption, of this look: further above its guarantee than is ignored
  double share = 0;     // of the parent's guarantee
  double absolute = 0;  // of the partition
  double absolute_max = 0;
  Resources pending;
  Resources guaranteed;
  // Of preemption:
  Resources claimed;                               // sizes of claims, full or not
  Resources leaving;                               // marked, among what is used
  Resources held;                                  // on nodes, by claims
  Resources reserved;                              // of this, for large containers
  Resources kept;                                  // below the maximum, for claims
  std::array<double, kResourceTypesMax> wanted{};  // with all below, at most the maximum
  std::array<double, kResourceTypesMax> ideal{};   // given what all want
};

struct Queue {
  Queue* parent = nullptr;
  std::unique_ptr<Leaf> leaf;  // leaves only
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  DemandTable<Queue> demand;
  PerPartition<QueuePart> parts;
  QueueRules spec;
  std::vector<std::unique_ptr<Queue>> children;  // configuration order
  std::int32_t apps = 0;
  std::int32_t running_apps = 0;   // limited by max-parallel-apps
  std::int32_t held_apps = 0;      // wait for that
  std::int64_t idle_since_ms = 0;  // of one that was made: its last application or child went
  // By use of the guarantee. By priority: whoever is below its guarantee first, then the higher
  // priority, and only then by use.
  Place place(PartitionId partition) const {
    const QueuePart& part = parts[partition];
    if (parent == nullptr || !parent->spec.children_by_priority) return {0, part.ratio, part.rank};
    constexpr std::int64_t kAbove = std::int64_t{1} << 32;
    return {(part.ratio < 1 ? 0 : kAbove) - spec.priority, part.ratio, part.rank};
  }
};

// FairOrderingPolicy: the memory held; by size, over the binary logarithm of held and wanted.
inline Place App::place() const {
  if (leaf->spec.app_order == AppOrder::kFifo) return turn();
  double held_mb = static_cast<double>(used().memory_mb());
  if (leaf->spec.fair_by_size) {
    // What is asked for may be nonsense (see add_asked).
    const double wanted = static_cast<double>(std::max<std::int64_t>(pending().memory_mb(), 0));
    held_mb /= std::max(std::log2(1 + held_mb + wanted), 1.0);
  }
  return {0, held_mb, sequence};
}

/// Container sizes in use, by partition, as small numbers, and which of them no node has room for.
class CapTable {
 public:
  CapId acquire(PartitionId partition, const Resources& size) {
    const auto [it, is_new] = by_size_.try_emplace({partition, size.amount}, 0);
    if (is_new) {
      if (free_.empty()) {
        it->second = static_cast<CapId>(caps_.size());
        caps_.emplace_back();
      } else {
        it->second = free_.back();
        free_.pop_back();
      }
      caps_[it->second] = Cap{};
      caps_[it->second].partition = partition;
      caps_[it->second].size = size;
    }
    ++caps_[it->second].references;
    return it->second;
  }
  void release(CapId cap) {
    if (--caps_[cap].references > 0) return;
    open(cap);
    by_size_.erase({caps_[cap].partition, caps_[cap].size.amount});
    free_.push_back(cap);
  }
  const Resources& size(CapId cap) const { return caps_[cap].size; }
  PartitionId partition(CapId cap) const { return caps_[cap].partition; }

  bool roomless(CapId cap) const { return caps_[cap].roomless; }
  void set_roomless(CapId cap) {
    caps_[cap].roomless = true;
    roomless_.emplace(caps_[cap].size.memory_mb(), cap);
  }
  void open(CapId cap) {
    if (!caps_[cap].roomless) return;
    caps_[cap].roomless = false;
    roomless_.erase({caps_[cap].size.memory_mb(), cap});
    for (Queue* queue : caps_[cap].deferred)
      reopened_.emplace_back(queue, cap);
    caps_[cap].deferred.clear();
  }
  /// Nobody is served from lists of a size without room, so queues do not move in them. Those that
  /// should have are noted here, and come out of take_reopened() once there is room.
  void defer(CapId cap, Queue* queue) {
    std::vector<Queue*>& deferred = caps_[cap].deferred;
    if (deferred.size() == deferred.capacity()) {  // who comes back to the list is noted again
      std::sort(deferred.begin(), deferred.end());
      deferred.erase(std::unique(deferred.begin(), deferred.end()), deferred.end());
      deferred.reserve(std::max<std::size_t>(16, 2 * deferred.size()));
    }
    deferred.push_back(queue);
  }
  bool has_reopened() const { return !reopened_.empty(); }
  /// Calls `settle(queue, cap)` for each of them.
  template <class Settle>
  void take_reopened(const Settle& settle) {
    settling_.swap(reopened_);
    for (const auto& [queue, cap] : settling_)
      settle(*queue, cap);
    settling_.clear();
  }
  /// Opens every roomless cap that `fits(cap)`, looking only at those of at most `memory_mb`.
  template <class Fits>
  bool open_fitting(std::int64_t memory_mb, const Fits& fits) {
    bool any = false;
    for (std::size_t i = 0; i < roomless_.size() && roomless_.nth(i)->first <= memory_mb;) {
      const CapId cap = roomless_.nth(i)->second;
      if (!fits(cap)) {
        ++i;
        continue;
      }
      open(cap);
      any = true;
    }
    return any;
  }
  // How much was given to others while there was no room for the size; makes a claim due.
  double pass_over(CapId cap, double amount) {
    if (caps_[cap].no_claims) return 0;
    return caps_[cap].passed_over += amount;
  }
  void forget_passed(CapId cap) { caps_[cap].passed_over = 0; }
  /// No node is large enough: until nodes change.
  void give_up_claims(CapId cap) { caps_[cap].no_claims = true; }
  void hope_again() {
    for (Cap& cap : caps_)
      cap.no_claims = false;
  }
  void open_all() {
    while (!roomless_.empty())
      open(roomless_.begin()->second);
  }

  // Marks of one walk down the tree: the sizes allowed at every level so far.
  void mark(CapId cap, std::uint64_t level) { caps_[cap].mark = level; }
  bool marked(CapId cap, std::uint64_t level) const { return caps_[cap].mark == level; }

 private:
  struct Cap {
    PartitionId partition = kDefaultPartition;
    Resources size;
    std::uint64_t references = 0;
    std::uint64_t mark = 0;
    bool roomless = false;
    bool no_claims = false;
    double passed_over = 0;
    std::vector<Queue*> deferred;  // in no order that matters, some of them twice
  };
  std::vector<Cap> caps_;
  std::vector<CapId> free_;
  std::map<std::pair<PartitionId, std::array<std::int64_t, kResourceTypesMax>>, CapId> by_size_;
  boost::container::flat_set<std::pair<std::int64_t, CapId>> roomless_;
  std::vector<std::pair<Queue*, CapId>> reopened_, settling_;
};

/// Groups that only certain nodes can serve (strict locality, blacklists) and that found none.
struct Lots {
  /// What smaller ones were given there while those of one size waited.
  struct Passed {
    double amount = 0;
    std::uint64_t from = 0;                    // the next to be looked at, by serial
    int misses = 0;                            // in a row: nobody could have a claim
    NodeIndex::Slot where = NodeIndex::kNone;  // the last of them
  };
  struct Lot {
    std::map<std::pair<CapId, std::uint64_t>, AskGroup*> groups;
    std::map<CapId, Passed> passed;
  };
  std::map<std::string, Lot, std::less<>> by_name;  // hosts and "/racks"
  Lot anywhere;                                     // blacklists, constraints
  // Of constraints: by a tag that they look at, and by the time when another part will do.
  std::map<TagKey, std::map<std::uint64_t, AskGroup*>> by_tag;
  std::map<std::pair<std::int64_t, std::uint64_t>, AskGroup*> by_time;
};

}  // namespace heddle::queues
