// Many fake nodes over a few connections: registers them, then has them send heartbeats, in a
// closed loop (the next as soon as the last is answered) or in an open one (at a set rate).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/net/event_loop.h"
#include "tools/load/channel.h"
#include "tools/load/fake_node.h"
#include "tools/load/histogram.h"
#include "tools/load/run.h"

namespace heddle::load {

struct NodeOptions {
  Server tracker;
  std::string user;
  std::uint32_t nodes = 1;
  std::uint32_t connections = 1;  // each node keeps to one of them
  double per_second = 0;          // heartbeats of all nodes together; 0 = closed loop
  Resources size{131'072, 128};
  bool counts_as_operation = false;  // in the window of the run
};

struct NodeTally {
  std::uint64_t registered = 0;
  std::uint64_t heartbeats = 0;  // answered
  std::uint64_t in_window = 0;   // of these
  std::uint64_t resyncs = 0;
  std::uint64_t skipped = 0;  // due, but the node's last one was still unanswered
  std::uint64_t containers_started = 0;
  std::uint64_t containers_finished = 0;
  /// Within the window. In an open loop from the moment a heartbeat was due.
  Histogram latency;
  void add(const NodeTally& other);
};

class NodeFleet {
 public:
  /// `loops` and `run` outlive this object, which outlives what runs on the loops.
  NodeFleet(const std::vector<net::EventLoop*>& loops, Run& run, const NodeOptions& options);
  ~NodeFleet();

  /// Opens the connections and registers every node; `done` once all are registered.
  void register_all(std::function<void()> done);
  /// Begins with the heartbeats.
  void start();
  /// A container starts on its node. Unknown nodes are an error of the run.
  void launch(const NodeId& node, const pb::ContainerIdProto& container);
  /// No more heartbeats; `done` once all that were sent are answered.
  void stop(std::function<void()> done);
  /// After the loops have ended, or all nodes have stopped.
  NodeTally tally() const;

 private:
  class Lane;
  const NodeOptions options_;
  Run& run_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // one a loop
  std::unordered_map<NodeId, std::pair<Lane*, std::uint32_t>> places_;
  std::atomic<std::size_t> lanes_pending_{0};
  std::function<void()> done_;
  void lane_done();
};

}  // namespace heddle::load
