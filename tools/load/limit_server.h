// The limit program: what the same calls cost where nothing is behind them. Our RPC server with the
// three protocols of a ResourceManager, whose methods answer at once with messages of the usual
// size: no core, no queue, no token is made.
#pragma once

#include <memory>
#include <vector>

#include "base/net/event_loop.h"
#include "compat/ipc/server.h"

namespace heddle::load {

struct LimitServer {
  std::unique_ptr<compat::ipc::Server> tracker;
  std::unique_ptr<compat::ipc::Server> scheduler;
  std::unique_ptr<compat::ipc::Server> client;
};

/// On loopback, on ports that are free.
Result<LimitServer> start_limit_server(net::EventLoops& loops);

}  // namespace heddle::load
