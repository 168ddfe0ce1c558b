// What a trace says: the cluster, then jobs and failures of nodes in order of time. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/resources.h"
#include "base/result.h"

namespace heddle::sim {

using Millis = std::int64_t;  // of virtual time, from the start of the trace

inline constexpr Millis kTimeMax = 400LL * 24 * 3'600'000;  // also of one duration
inline constexpr std::int64_t kTasksMax = 10'000'000;       // of one job
inline constexpr std::size_t kGroupsMax = 1'000'000;        // of one job
inline constexpr std::int64_t kNodesMax = 200'000;
inline constexpr std::size_t kQueuesMax = 100'000;
inline constexpr std::int64_t kAmountMax = std::int64_t{1} << 40;  // of one resource type
inline constexpr std::int64_t kPriorityMax = 1'000'000'000;

/// Equal tasks of a job.
struct TaskGroup {
  std::int32_t count = 1;
  Resources size{1024, 1};
  Millis duration = 0;
  std::int32_t priority = 20;  // a smaller number is asked for first
  std::int32_t stage = 0;      // begins when all tasks of lower stages have ended
  Millis delay = 0;            // asked for so long after its stage began
  std::string place;           // a host or "/rack" where they would like to run; "" = anywhere
  friend bool operator==(const TaskGroup&, const TaskGroup&) = default;
};

struct Job {
  Millis submitted = 0;
  std::string name;
  std::string queue;  // path, or name of a leaf
  std::string user;
  std::int32_t priority = 0;
  Resources am_size{1024, 1};
  std::vector<TaskGroup> groups;
  friend bool operator==(const Job&, const Job&) = default;
};

struct NodeSpec {
  std::string host;
  std::string rack;
  Resources size;
  friend bool operator==(const NodeSpec&, const NodeSpec&) = default;
};

struct NodeFailure {
  Millis at = 0;
  std::string host;
  Millis down = 0;  // it comes back after so long; 0 = never
  friend bool operator==(const NodeFailure&, const NodeFailure&) = default;
};

/// A queue as capacity-scheduler.xml has it, without "yarn.scheduler.capacity.<path>." in front.
struct QueueLine {
  std::string path;
  std::map<std::string, std::string> properties;
  friend bool operator==(const QueueLine&, const QueueLine&) = default;
};

struct ClusterSpec {
  std::vector<NodeSpec> nodes;
  std::vector<QueueLine> queues;                // parents before children; may be empty
  std::map<std::string, std::string> settings;  // full names of properties
};

using TraceEvent = std::variant<Job, NodeFailure>;
inline Millis time_of(const TraceEvent& event) {
  const Job* job = std::get_if<Job>(&event);
  return job != nullptr ? job->submitted : std::get<NodeFailure>(event).at;
}

/// A source of events. Errors name the file, and the line or field.
class Trace {
 public:
  virtual ~Trace() = default;
  virtual const ClusterSpec& cluster() const = 0;
  /// In order of time; nullopt at the end. After an error it is over.
  virtual Result<std::optional<TraceEvent>> next() = 0;
  /// What was read and has no meaning here, one sentence each.
  virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace heddle::sim
