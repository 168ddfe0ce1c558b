// Why something waits, as plain values. One engine fills them for the diagnostics of reports, for
// REST, the command line and dry runs; it asks the functions that the scheduler decides with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "queues/types.h"

namespace heddle::queues {

/// What something waits for. The codes (code_of) are part of the REST answers and never change.
enum class Verdict : std::uint8_t {
  kNothingWaits,  // it has all that it asked for
  kStartsNow,     // of a request that is not made yet: it would start at once
  kWaitsTurn,     // there is room; others come first, or it is served in this very moment
  kBetweenAttempts,
  kBeingSaved,    // not in its queue yet
  kMasterStarts,  // its AM has a container and has not registered
  kEnded,
  // Would not be taken in at all; only of requests that are not made yet.
  kQueueStopped,
  kClusterApps,             // maximum-applications of the cluster
  kQueueApps,               // of the queue
  kUserApps,                // of a user in the queue
  kAboveMaximumAllocation,  // a container larger than any may be
  kLabelNotAllowed,         // the queue may not use the node label
  kNoSuchLabel,
  kNotAllowed,  // the user may not submit there
  // Taken in and not started.
  kQueueParallelApps,
  kUserParallelApps,
  kQueueMasterLimit,
  kLabelMasterLimit,
  kUserMasterLimit,
  // Started, and at a limit.
  kUserLimit,
  kQueueMaximum,
  // Allowed, and there is no place.
  kPreempting,        // containers of others have been told to go for it
  kRoomKept,          // room is kept for it on a node until it is enough
  kNoNodes,           // the cluster has none
  kNoUsableNode,      // all are unhealthy or draining
  kNoNodeOfLabel,     // no node has the label
  kNoSuchPlace,       // strict locality, and no such host or rack
  kPlacesFull,        // strict locality, and no room there
  kBlacklisted,       // what has room, or all there is, the application itself has blacklisted
  kConstraint,        // its placement constraint allows none of those with room, or none at all
  kLargerThanNodes,   // no node is that large, even empty
  kRoomKeptForOther,  // there would be room, and it is kept for another application
  kLabelBusy,         // a shared label's own requests come first on its nodes
  kFragmented,        // there is room enough, but on no single node
  kClusterFull,
};
std::string_view code_of(Verdict verdict);  // "queue-maximum"

/// Why a node is or is not one for a container.
enum class NodeVerdict : std::uint8_t {
  kFits,
  kNoRoom,        // large enough, and too much of it is used
  kKept,          // the room that would do is kept for another application
  kKeptForThis,   // or for this one
  kLabelBusy,     // of a shared label whose own requests come first
  kTooSmall,      // even empty
  kOtherLabel,    // of another partition
  kBlacklisted,   // by the application
  kConstraint,    // its placement constraint does not hold there now
  kNotUsable,     // unhealthy or draining
  kNotAmongAsked  // strict locality names others
};
std::string_view code_of(NodeVerdict verdict);  // "no-room"

/// Nodes with the same answer.
struct NodeGroup {
  struct Example {
    NodeId id;
    Resources total;
    Resources free;
  };
  NodeVerdict verdict = NodeVerdict::kFits;
  std::uint32_t short_of = 0;  // kNoRoom, kKept, kTooSmall: bit i = there is too little of type i
  std::int64_t count = 0;
  std::vector<Example> examples;  // the first few
};

/// The one number: how much is missing, or has to end first.
struct Missing {
  enum class Unit : std::uint8_t { kResource, kApplications, kContainers, kSeconds };
  Unit unit = Unit::kResource;
  std::size_t type = 0;  // kResource: which resource type
  std::int64_t amount = 0;
};

/// What it waits for, in one sentence, one number and one action.
struct Wait {
  Verdict verdict = Verdict::kNothingWaits;
  std::string sentence;
  std::optional<Missing> missing;
  std::string action;    // what the user or the operator may do; names the setting
  std::string property;  // the setting alone; "" = none decides
  std::string scope;     // whose limit it is: a queue, a user, a label, a node; "" = nobody's
};

/// One limit on the way from the application to the root. Either amounts or counts.
struct LimitUse {
  std::string name;   // "user-limit", "maximum-capacity", "am-share", ...
  std::string scope;  // the queue or the user
  std::string property;
  Resources used;
  Resources limit;
  bool counts = false;
  std::int64_t used_count = 0;
  std::int64_t limit_count = 0;
  bool blocks = false;  // it is what the verdict is about
};

/// Containers of one priority that are still wanted, and what they wait for.
struct ExplainedAsk {
  std::int32_t priority = 0;
  std::int64_t request_id = -1;
  bool is_am = false;
  Resources size;
  std::int64_t count = 0;
  std::string label;  // "" = the default partition
  Wait wait;
  std::vector<NodeGroup> nodes;  // all nodes of the cluster, sorted by their answer
  bool nodes_left_out = false;   // too many were looked at already; `wait` is what is known without
};

struct Explanation {
  Wait wait;  // of the whole: that of its first ask, or what keeps it from starting
  std::optional<AppId> app;
  QueuePath queue;
  UserName user;
  std::int32_t priority = 0;
  std::int32_t position = 0;  // among those that wait in its queue, from 1; 0 = does not wait
  std::int32_t waiting = 0;   // how many wait there, with it
  std::vector<AppId> ahead;   // the first few of those before it, in serving order
  std::vector<LimitUse> limits;
  std::vector<ExplainedAsk> asks;
  std::int64_t asks_left_out = 0;
  /// Of a request that is not made yet: how many of its containers would start at once.
  std::int64_t starts_now = 0;
};

/// An application that nobody has submitted yet.
struct WhatIf {
  std::string queue;  // path or leaf name
  UserName user;
  Resources size;
  std::int64_t count = 1;
  std::optional<Resources> am_size;  // nullopt: the smallest container
  std::optional<std::string> label;  // as in Ask
  std::vector<std::string> places;   // hosts or "/rack"s: nowhere else
};

struct ExplainOptions {
  const ResourceTypes* types = nullptr;  // for the names of types; nullptr: the first two only
  std::size_t examples_max = 5;          // nodes of a group
  std::optional<NodeId> node = {};       // the only example, wherever it belongs
  std::size_t asks_max = 8;              // asks of an application
  /// Nodes looked at for all asks together; those of the first ask are, however many there are.
  std::size_t looks_max = 40'000;
};

/// What a queue and those below it do with a partition just now, for the activities of Hadoop.
struct QueueActivity {
  QueuePath path;
  bool wants = false;  // it or one below it waits for something
  std::optional<Wait> wait;
  std::vector<QueueActivity> children;
  std::vector<Explanation> apps;  // leaves: those that wait, in serving order, not all of them
};

}  // namespace heddle::queues
