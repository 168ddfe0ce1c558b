// One measurement from its options to its figures.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/load/client_load.h"
#include "tools/load/master_fleet.h"
#include "tools/load/node_fleet.h"

namespace heddle::load {

enum class Mode : std::uint8_t { kHeartbeats, kAllocate, kSubmit, kLimit };

struct Options {
  Mode mode = Mode::kHeartbeats;
  std::size_t threads = 1;
  std::uint64_t warm_up = 10'000;   // operations
  std::uint64_t measured = 50'000;  // likewise
  int server_pid = 0;
  Duration patience = std::chrono::minutes(5);
  NodeOptions nodes;
  MasterOptions masters;
  ClientOptions clients;
};

struct Figures {
  Duration took{0};  // the window
  Duration server_cpu{0};
  Duration own_cpu{0};
  NodeTally nodes;
  MasterTally masters;
  ClientTally clients;
};

/// kUnavailable: the server cannot be reached, refused something or was too slow.
Result<Figures> measure(const Options& options, const Clock& clock);

/// One JSON object.
std::string to_json(const Options& options, const Figures& figures);

}  // namespace heddle::load
