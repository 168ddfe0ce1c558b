// Clients that submit applications, each the next as soon as the last is acknowledged. The
// applications are managed ones that nobody runs: they wait, as where no node is registered.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/net/event_loop.h"
#include "tools/load/channel.h"
#include "tools/load/histogram.h"
#include "tools/load/run.h"

namespace heddle::load {

struct ClientOptions {
  Server client;
  std::string user;
  std::vector<std::string> queues = {"default"};  // in turn
  std::uint32_t clients = 1;
  bool report = false;  // each asks for the report of its application once it is acknowledged
};

struct ClientTally {
  std::uint64_t acknowledged = 0;
  std::uint64_t in_window = 0;
  std::uint64_t reports = 0;
  Histogram latency;  // of submitApplication, within the window
  void add(const ClientTally& other);
};

class ClientLoad {
 public:
  /// `loops` and `run` outlive this object, which outlives what runs on the loops.
  ClientLoad(const std::vector<net::EventLoop*>& loops, Run& run, ClientOptions options);
  ~ClientLoad();

  void open(std::function<void()> done);
  void start();
  /// No further application; `done` once all that were sent are answered.
  void stop(std::function<void()> done);
  ClientTally tally() const;

 private:
  class One;
  const ClientOptions options_;
  Run& run_;
  std::vector<std::unique_ptr<One>> clients_;
  std::atomic<std::size_t> pending_{0};
  std::function<void()> done_;
  void one_done();
};

}  // namespace heddle::load
