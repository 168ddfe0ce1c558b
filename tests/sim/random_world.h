// Random clusters, queue trees and events from a seed, as plain data: any part of the events is
// again a run that makes sense, so that a failing run can be cut down.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/settings.h"
#include "queues/config.h"
#include "queues/preemption.h"

namespace heddle::naive {

enum class EventKind : std::uint8_t {
  kAddApp,
  kEndApp,
  kEndAttempt,
  kStartAttempt,
  kAsk,
  kAskNear,
  kBlacklist,
  kSchedule,
  kRelease,
  kAddNode,
  kRemoveNode,
  kResizeNode,
  kUsable,
  kMove,
  kPriority,
  kConfigure,
  kRecover,
  kResize,
  kPartitions,
  kNodeLabel,
  kPreempt,
  // Of worlds with tags and changing containers:
  kAskTagged,
  kAttributes,
  kGrow,
  kCancelGrowth,
  kDemote,
  // Of worlds with queues that come and go by themselves:
  kMakeQueue,
  kIdleQueues,
  kPlanShares,
};

/// `dice` decide what the event is about, modulo what there is at the time.
struct Event {
  EventKind kind = EventKind::kSchedule;
  std::array<std::uint32_t, 6> dice{};
};

/// Every other seed has tags and changing containers among them, every fourth queues that come and
/// go by themselves.
std::vector<Event> random_events(std::uint64_t seed, std::size_t count);

/// A tree that is accepted, its leaves named root.q0, root.q1.l0 and so on.
/// `makes_queues`: some make queues, or are reservable.
queues::QueueConfig random_queues(std::uint64_t seed, const queues::Limits& limits,
                                  bool makes_queues = false);
queues::Limits random_limits(std::uint64_t seed);
/// Two node labels at most, "red" and "blue"; often none.
std::vector<queues::PartitionSpec> random_partitions(std::uint64_t seed);
/// Often off.
queues::PreemptionSettings random_preemption(std::uint64_t seed);
/// One or two leaves where users and priorities get into each other's way.
queues::QueueConfig crowded_queues(std::uint64_t seed, const queues::Limits& limits);

/// A tree for equal containers without limits of users and AMs: what is owed can be given.
queues::QueueConfig open_queues(std::uint64_t seed, const queues::Limits& limits);

}  // namespace heddle::naive
