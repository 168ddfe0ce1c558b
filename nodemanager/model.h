// What the agent knows about one application and one container. The agent's thread only.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/net/event_loop.h"
#include "nodemanager/api/container.h"
#include "nodemanager/launch/diagnostics.h"
#include "nodemanager/localize/cache.h"
#include "nodemanager/logs/aggregation.h"

namespace heddle::nm {

struct Container {
  struct Resource {
    std::string link;
    ResourceKey key;
    std::string path;  // "" until it is there
  };
  /// LOCALIZATION_COUNTERS.
  struct Counters {
    std::uint64_t bytes_missed = 0;
    std::uint64_t bytes_cached = 0;
    std::uint64_t files_missed = 0;
    std::uint64_t files_cached = 0;
    std::int64_t ms = 0;
  };

  ContainerGrant grant;
  LaunchContext launch;
  ContainerState state = ContainerState::kNew;
  std::int32_t exit_status = exit_status::kInvalid;
  std::int32_t kill_status = 0;  // why the node ends it; 0 while it does not
  Diagnostics diagnostics;
  Instant done_at;        // in DONE
  bool end_told = false;  // the ResourceManager has answered a heartbeat with it in DONE

  std::vector<Resource> resources;
  std::size_t resources_missing = 0;
  Counters counters;
  Instant localizing_since;

  std::size_t disk = 0;  // which good local and log directory it got
  std::string local_dir;
  std::vector<std::string> log_dirs;  // its own; the first is where the script writes
  bool starting = false;              // a worker prepares it
  std::uint32_t start_number = 0;     // tells late answers of an earlier start apart
  std::shared_ptr<std::atomic<bool>> cancel_start;
  pid_t supervisor = -1;  // while the process runs
  Instant started;        // of the process
  std::int32_t retries_used = 0;
  std::deque<Instant> failures;  // within Retry::failures_validity_ms
  net::EventLoop::Timer relaunch;
  Resources launched_with;  // the size that its limits were made for

  // In the queue for room, or counted among those that have it.
  enum class Room : std::uint8_t { kNone, kWaits, kHas };
  Room room = Room::kNone;
  std::uint64_t turn = 0;  // among those that wait, or those that have room
  Resources counted;       // with which it has it

  const ContainerId& id() const { return grant.id; }
  AppId app() const { return grant.id.attempt.app; }
};

struct App {
  AppId id;
  std::string user;
  AppState state = AppState::kNew;
  std::set<ContainerId> live;        // not DONE
  std::vector<ContainerId> waiting;  // for the application's directories
  std::string prepare_error;         // its directories could not be made
  std::string finish_reason;
  std::set<std::string> services;  // auxiliary services that were told of it
  std::string view_acl;
  std::string modify_acl;
  LogRules log_rules;
  std::vector<EndedContainer> ended;
  net::EventLoop::Timer roll;  // the next move of logs while it runs
  bool rolling = false;        // one is under way
  bool logs_wait = false;      // for it: the application has ended meanwhile
};

}  // namespace heddle::nm
