// Fake ApplicationMasters: submits unmanaged applications, takes their AMRM tokens from their
// reports, logs in on the scheduler port with them, and has each master call allocate again as soon
// as the last call is answered.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/net/event_loop.h"
#include "tools/load/channel.h"
#include "tools/load/fake_master.h"
#include "tools/load/histogram.h"
#include "tools/load/run.h"

namespace heddle::load {

struct MasterOptions {
  Server client;
  Server scheduler;
  std::string user;
  std::vector<std::string> queues = {"default"};  // in turn
  std::uint32_t masters = 1;
  std::int32_t containers = 10;  // that each wants at any time
  Life life = Life::kRelease;
  /// Before the next call, when the last one brought nothing. Zero: at once.
  Duration pause{0};
};

struct MasterTally {
  std::uint64_t registered = 0;
  std::uint64_t calls = 0;    // of allocate, answered
  std::uint64_t empty = 0;    // of these, that brought nothing
  std::uint64_t granted = 0;  // containers
  std::uint64_t released = 0;
  std::uint64_t finished = 0;
  std::uint64_t ended = 0;  // masters that said goodbye
  std::uint64_t calls_in_window = 0;
  std::uint64_t granted_in_window = 0;
  Histogram latency;  // of allocate, within the window
  void add(const MasterTally& other);
};

class MasterFleet {
 public:
  using Started = std::function<void(const pb::ContainerProto&)>;
  /// `loops` and `run` outlive this object, which outlives what runs on the loops. `started` is
  /// told of each container that shall run, on any of the loops; with Life::kRun only.
  MasterFleet(const std::vector<net::EventLoop*>& loops, Run& run, MasterOptions options,
              Started started);
  ~MasterFleet();

  /// Submits, logs in and registers all; `done` once every master is registered.
  void register_all(std::function<void()> done);
  void start();
  /// No more calls of allocate; each master says goodbye. `done` once all have.
  void finish(std::function<void()> done);
  /// After finish(), or after the loops have ended.
  MasterTally tally() const;

 private:
  class Lane;
  const MasterOptions options_;
  const Started started_;
  Run& run_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // one a loop
  std::atomic<std::size_t> lanes_pending_{0};
  std::function<void()> done_;
  void lane_done();
  void each_lane(std::function<void()> done, void (Lane::*step)());
};

}  // namespace heddle::load
