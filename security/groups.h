// The groups of users, remembered for a while: the system's answer may come from the network.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace heddle::security {

/// Any thread.
class Groups {
 public:
  using Names = std::vector<std::string>;
  using Lookup = std::function<Names(const std::string& user)>;  // may block
  using Done = std::function<void(const Result<Names>&)>;
  struct Limits {
    Duration keep = std::chrono::seconds(300);  // hadoop.security.groups.cache.secs
    std::size_t users_max = 10'000;             // remembered
    std::size_t waiting_max = 10'000;           // calls that wait for the system; more are refused
    std::size_t threads = 4;                    // that ask the system
  };

  /// `clock` outlives stop().
  Groups(const Clock& clock, Lookup lookup, Limits limits);
  explicit Groups(const Clock& clock);  // the system's own groups
  ~Groups();                            // stop()
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  /// Never blocks. `done` comes once: within this call when the groups are remembered, else on a
  /// thread for lookups. kUnavailable: too many wait already, or stopped.
  void find(const std::string& user, Done done);
  /// The next find() of each user asks the system again, or waits for a lookup under way.
  void forget_all();
  /// Those that wait get kUnavailable; waits for the lookups under way.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::security
