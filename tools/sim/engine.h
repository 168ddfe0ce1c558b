// What a simulated cluster runs on: the production core with all its commands and heartbeats, or
// the scheduler alone. Virtual time; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "queues/config.h"
#include "queues/types.h"
#include "rm/core/core.h"
#include "tools/sim/trace.h"

namespace heddle::sim {

using JobNumber = std::int32_t;    // from 1, in order of submission
using NodeNumber = std::uint32_t;  // place in ClusterSpec::nodes

/// A container as its engine knows it.
struct ContainerKey {
  JobNumber job = 0;
  std::int32_t attempt = 0;
  std::int64_t number = 0;
  friend bool operator==(const ContainerKey&, const ContainerKey&) = default;
};
struct KeyHash {
  std::size_t operator()(const ContainerKey& key) const {
    std::size_t seed = static_cast<std::size_t>(key.number);
    detail::hash_mix(seed, static_cast<std::size_t>(key.job));
    detail::hash_mix(seed, static_cast<std::size_t>(key.attempt));
    return seed;
  }
};

/// What an AM wants, as absolute numbers. Each group is asked for under its own request id.
struct AskRow {
  std::int32_t group = 0;
  std::int32_t priority = 0;
  std::int32_t count = 0;
  Resources size;
  std::string host;  // "" = anywhere
  std::string rack;
};

/// How a container ended without its task being over.
enum class Loss : std::uint8_t { kNode, kPreempted };

/// What engines tell, at the time it happens. They may be called from within.
class World {
 public:
  virtual ~World() = default;
  /// The AM runs and may ask. Not for the first time: what it held before is gone.
  virtual void master_up(JobNumber job) = 0;
  virtual void granted(const ContainerKey& key, std::int32_t group, NodeNumber node,
                       const Resources& size) = 0;
  virtual void lost(const ContainerKey& key, Loss loss) = 0;
  /// The AM hears that a task of it is over; told by the core alone.
  virtual void finished(const ContainerKey& key) = 0;
  /// Accepted once, and now over. `why` is empty when it ended well.
  virtual void job_over(JobNumber job, const std::string& why) = 0;
};

/// One queue at one time, as the core reports it.
struct QueueSample {
  std::string path;
  Resources guaranteed;
  Resources maximum;
  Resources used;
  Resources pending;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
};
struct ClusterSample {
  Resources total;
  Resources used;
  std::int64_t nodes = 0;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::vector<QueueSample> leaves;  // in the order of the configuration
};

/// What both engines need to know of the cluster.
struct EngineSetup {
  rm::CoreOptions core;
  queues::QueueConfig queues;
  Millis node_heartbeat = 1000;    // 0: what happens on a node is known at once
  Millis master_heartbeat = 1000;  // 0: an AM hears of its containers at once
  Millis master_start = 1000;      // from the grant of an AM's container until it registers
  // AMs work off an answer a heartbeat later, and hear from it alone that tasks are over. With the
  // core only.
  bool masters_as_sls = false;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Moves the clock, and does what the engine itself had planned up to there, in order.
  virtual void run_until(Millis now) = 0;
  /// When the engine has something planned, be it a mere sign of life.
  virtual std::optional<Millis> next_time() const = 0;
  /// Decides everything that can be decided now. After every batch of the calls below.
  virtual void settle() = 0;

  virtual void node_up(NodeNumber node) = 0;
  virtual void node_down(NodeNumber node) = 0;

  /// The error says why the cluster refuses it.
  virtual Result<void> submit(JobNumber number, const Job& job) = 0;
  virtual void ask(JobNumber job, std::span<const AskRow> rows) = 0;
  /// Its task is over.
  virtual void container_ended(const ContainerKey& key, NodeNumber node) = 0;
  /// The AM does not want it.
  virtual void release(const ContainerKey& key, NodeNumber node) = 0;
  /// All tasks are over: the AM says goodbye and ends.
  virtual void master_done(JobNumber job) = 0;

  virtual ClusterSample sample() = 0;
  /// Empty, or the first broken promise. Slow.
  virtual std::string check() const = 0;
  /// Commands that went in, and the like, by name.
  virtual std::vector<std::pair<std::string, std::int64_t>> counters() const = 0;
  /// What of the trace has no meaning here, one sentence each.
  virtual std::vector<std::string> warnings() const { return {}; }
};

/// `nodes` and `world` must outlive the engine. kWrongState and so on: the queues are refused.
Result<std::unique_ptr<Engine>> make_core_engine(const EngineSetup& setup,
                                                 std::span<const NodeSpec> nodes, World& world);
Result<std::unique_ptr<Engine>> make_scheduler_engine(const EngineSetup& setup,
                                                      std::span<const NodeSpec> nodes,
                                                      World& world);

}  // namespace heddle::sim
