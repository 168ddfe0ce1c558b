// The scheduler's state: queues, users, applications, groups of asks, and the demand lists that tie
// them together. Internal to queues/.
//
// Demand lists. Demand is sorted by container size (a small number interned in CapTable): every
// level of root > queue > leaf > user > application > ask group holds, per size, its children that
// have demand of that size and may be served as far as they themselves are concerned. A child that
// is at a limit is simply not listed, so nobody below it is looked at until the limit moves.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/config.h"
#include "queues/types.h"

namespace heddle::queues {

using CapId = std::uint32_t;  // a container size in CapTable

/// Sums of what is asked for may grow beyond any bound and wrap around; they come out right again
/// when it is taken back. They are shown, and decide nothing.
inline void add_asked(Resources& sum, const Resources& size, std::int64_t times) {
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    sum.amount[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum.amount[i]) +
                                              static_cast<std::uint64_t>(size.amount[i]) *
                                                  static_cast<std::uint64_t>(times));
  }
}

/// Where a child stands among its siblings; smaller is served first. No two siblings are equal.
struct Place {
  double first = 0;
  std::int64_t second = 0;
  friend bool operator==(const Place&, const Place&) = default;
  friend bool operator<(const Place& a, const Place& b) {
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  }
};

/// Demand of one size below one parent.
template <class Child>
struct Demand {
  CapId cap = 0;
  bool shut = false;    // this parent has no room for the size under its own limit
  bool listed = false;  // this parent stands in the list of its own parent
  bool stale = false;   // at a place that is put right only when there is room for the size
  Place listed_at;
  std::map<Place, Child*> ready;
};

template <class Child>
struct DemandTable {
  std::vector<Demand<Child>> rows;  // a handful: one per size wanted below

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

struct AskRow {
  std::int32_t count = 0;
  bool relax = true;
};

/// All asks of one application with one (priority, allocation request id).
struct AskGroup {
  App* app = nullptr;
  std::int32_t priority = 0;
  std::int64_t request_id = -1;
  std::uint64_t serial = 0;  // names the group in waiting lists
  CapId cap = 0;
  bool has_cap = false;
  bool is_am = false;
  std::int32_t total = 0;  // of the "*" row
  bool relax = true;       // of the "*" row
  std::map<std::string, AskRow, std::less<>> hosts;
  std::map<std::string, AskRow, std::less<>> racks;
  bool counted = false;  // in its application's pending sums (counted_total of size cap)
  std::int32_t counted_total = 0;
  bool parked = false;  // waits for room on certain nodes; in Lots
  std::vector<std::string> parked_at;
  Place place() const { return {static_cast<double>(priority), request_id}; }
};

struct App {
  AppId id;
  UserName user_name;
  std::int32_t priority = 0;
  std::int64_t sequence = 0;  // order of submission
  Queue* leaf = nullptr;
  User* user = nullptr;
  std::optional<AttemptId> attempt;
  bool active = false;   // has its share of AMs
  bool waiting = false;  // in the lists of those that want one
  Resources am_charge;
  CapId am_cap = 0;
  Resources used;
  std::int64_t containers = 0;
  Resources pending;
  std::int64_t pending_containers = 0;
  bool demands = false;  // counted in User::demanding
  std::set<std::string, std::less<>> blacklist;
  std::map<std::pair<std::int32_t, std::int64_t>, std::unique_ptr<AskGroup>> groups;
  DemandTable<AskGroup> demand;
  Place place() const { return {-static_cast<double>(priority), sequence}; }
};

struct User {
  UserName name;
  std::int64_t serial = 0;  // among those of the leaf, in order of their coming
  Queue* leaf = nullptr;
  double weight = 1;
  Resources used;
  Resources am_used;
  std::int32_t apps = 0;
  std::int32_t active_apps = 0;
  std::int32_t demanding = 0;  // active applications that want containers
  bool over = false;           // above its user limit: nothing of it is listed
  bool tracked = false;        // in Leaf::by_use (or Leaf::over_by_use)
  Place tracked_at;
  DemandTable<App> demand;
  DemandTable<App> waiting;  // applications not active yet, by the size of their AM
};

struct Leaf {
  std::map<std::string, std::unique_ptr<User>, std::less<>> users;
  std::map<Place, App*> apps;
  DemandTable<User> demand;
  DemandTable<User> waiting;
  std::int32_t active_apps = 0;
  Resources am_used;
  Resources am_limit;
  Resources user_am_limit;  // of a user with weight 1
  double active_weight = 0;
  std::int32_t active_users = 0;
  Resources active_used;  // by users that want more
  Resources user_limit;   // of a user with weight 1
  // Users that want containers, by use over weight: those that may go on, those above the limit.
  std::map<Place, User*> by_use;
  std::map<Place, User*> over_by_use;
  std::int64_t next_user = 0;
};

struct Queue {
  QueueSpec spec;  // without children
  Queue* parent = nullptr;
  std::vector<std::unique_ptr<Queue>> children;  // configuration order
  std::unique_ptr<Leaf> leaf;                    // leaves only
  std::int64_t rank = 0;  // among all queues: larger guarantee first, then path
  double share = 1;       // of the parent's guarantee
  double absolute = 1;    // of the cluster
  double absolute_max = 1;
  std::array<double, kResourceTypesMax> guarantee{};  // exact
  Resources guaranteed;
  Resources maximum;
  Resources used;
  double ratio = 0;  // used / guarantee, of the fullest type
  Resources pending;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
  DemandTable<Queue> demand;
  Place place() const { return {ratio, rank}; }
};

/// Container sizes in use, as small numbers, and which of them no node has room for.
class CapTable {
 public:
  CapId acquire(const Resources& size) {
    const auto [it, is_new] = by_size_.try_emplace(size.amount, 0);
    if (is_new) {
      if (free_.empty()) {
        it->second = static_cast<CapId>(caps_.size());
        caps_.emplace_back();
      } else {
        it->second = free_.back();
        free_.pop_back();
      }
      caps_[it->second] = Cap{};
      caps_[it->second].size = size;
    }
    ++caps_[it->second].references;
    return it->second;
  }
  void release(CapId cap) {
    if (--caps_[cap].references > 0) return;
    open(cap);
    by_size_.erase(caps_[cap].size.amount);
    free_.push_back(cap);
  }
  const Resources& size(CapId cap) const { return caps_[cap].size; }

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
  void defer(CapId cap, Queue* queue) { caps_[cap].deferred.insert(queue); }
  bool has_reopened() const { return !reopened_.empty(); }
  std::vector<std::pair<Queue*, CapId>> take_reopened() { return std::exchange(reopened_, {}); }
  /// The queues are about to go.
  void forget_deferred() {
    for (Cap& cap : caps_)
      cap.deferred.clear();
    reopened_.clear();
  }
  /// Opens every roomless size that `fits(size)`, looking only at those of at most `memory_mb`.
  template <class Fits>
  bool open_fitting(std::int64_t memory_mb, const Fits& fits) {
    bool any = false;
    for (auto it = roomless_.begin(); it != roomless_.end() && it->first <= memory_mb;) {
      const CapId cap = (it++)->second;
      if (!fits(caps_[cap].size)) continue;
      open(cap);
      any = true;
    }
    return any;
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
    Resources size;
    std::uint64_t references = 0;
    std::uint64_t mark = 0;
    bool roomless = false;
    std::unordered_set<Queue*> deferred;  // in no order that matters
  };
  std::vector<Cap> caps_;
  std::vector<CapId> free_;
  std::map<std::array<std::int64_t, kResourceTypesMax>, CapId> by_size_;
  std::set<std::pair<std::int64_t, CapId>> roomless_;
  std::vector<std::pair<Queue*, CapId>> reopened_;
};

/// Groups that only certain nodes can serve (strict locality, blacklists) and that found none.
struct Lots {
  using Lot = std::map<std::pair<CapId, std::uint64_t>, AskGroup*>;
  std::map<std::string, Lot, std::less<>> by_name;  // hosts and "/racks"
  Lot anywhere;                                     // blacklists
};

}  // namespace heddle::queues
