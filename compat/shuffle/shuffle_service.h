// The mapreduce_shuffle auxiliary service: reducers fetch map outputs of this node over HTTP.
// Source: wire facts "container", section 6.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/net/event_loop.h"
#include "base/result.h"
#include "base/settings.h"
#include "nodemanager/api/door.h"
#include "security/secret.h"

namespace heddle::compat::shuffle {

/// A job whose map outputs are served; what has to survive a restart of the agent.
struct ShuffleJob {
  AppId app;
  std::string user;
  security::Secret secret;
};

struct ShuffleOptions {
  std::string host = "0.0.0.0";
  std::uint16_t port = 13562;  // 0 = any free one
  bool keep_alive = false;     // for clients that do not ask
  std::chrono::seconds keep_alive_timeout{5};
  std::size_t connections_max = 20'000;
  std::size_t index_cache_bytes = 10_MiB;
};
/// From mapreduce.shuffle.*; the host is the caller's to set.
Result<ShuffleOptions> read_shuffle_options(const Settings& settings);

struct ShuffleCallbacks {
  /// The local dirs to look in, good ones first. Any thread.
  std::function<std::vector<std::string>()> local_dirs;
  /// Persistence; may be empty. Called on the thread of init_app() and stop_app(). An error of
  /// `job_added` is the error of init_app(): what it cannot keep is not served.
  std::function<Result<void>(const ShuffleJob&)> job_added;
  std::function<void(const AppId&)> job_removed;
};

/// Files are opened and index files read on the loop threads: these are local, short, and mostly
/// in the page cache. At most one map output is open for each connection.
class ShuffleService : public nm::AuxService {
 public:
  /// `jobs`: those recorded before a restart; served from the first request on.
  static Result<std::unique_ptr<ShuffleService>> listen(net::EventLoops& loops,
                                                        const ShuffleOptions& options,
                                                        ShuffleCallbacks callbacks,
                                                        std::vector<ShuffleJob> jobs = {});

  virtual std::uint16_t port() const = 0;

  // nm::AuxService, any thread. `data` is a job token; kInvalidArgument otherwise.
  std::string_view name() const override { return "mapreduce_shuffle"; }
};

}  // namespace heddle::compat::shuffle
