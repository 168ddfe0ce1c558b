// What has happened in a queue, or to one user in it, since this ResourceManager started.
#pragma once

#include <array>
#include <cstdint>

#include "base/resources.h"

namespace heddle::rm {

/// Resource-seconds (or -milliseconds, where a name says so) of each type.
struct ResourceSeconds {
  std::array<std::int64_t, kResourceTypesMax> amount{};
};

inline ResourceSeconds to_seconds(const ResourceSeconds& millis) {
  ResourceSeconds out;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i)
    out.amount[i] = millis.amount[i] / 1000;
  return out;
}

struct AppCounts {
  std::int64_t submitted = 0, completed = 0, failed = 0, killed = 0;
  std::int32_t running = 0;
  std::int64_t pending() const { return submitted - completed - failed - killed - running; }
  AppCounts& operator+=(const AppCounts& other) {
    submitted += other.submitted;
    completed += other.completed;
    failed += other.failed;
    killed += other.killed;
    running += other.running;
    return *this;
  }
};

/// How often something took its time, and how long in all.
struct Delays {
  std::int64_t count = 0, total_ms = 0;
  void add(std::int64_t ms) {
    ++count;
    total_ms += ms;
  }
  double mean_ms() const {
    return count == 0 ? 0 : static_cast<double>(total_ms) / static_cast<double>(count);
  }
};

struct QueueCounts {
  AppCounts apps;
  AppCounts unmanaged;                       // those of them that bring their own AM
  std::int64_t allocated = 0, released = 0;  // containers
  std::int64_t node_local = 0, rack_local = 0, off_switch = 0;  // of the allocated ones
  std::int64_t preempted_containers = 0;
  Resources preempted;
  ResourceSeconds preempted_millis;
  Delays first_container;  // of a leaf's attempts: from the first request to the first container

  QueueCounts& operator+=(const QueueCounts& other) {
    apps += other.apps;
    unmanaged += other.unmanaged;
    allocated += other.allocated;
    released += other.released;
    node_local += other.node_local;
    rack_local += other.rack_local;
    off_switch += other.off_switch;
    preempted_containers += other.preempted_containers;
    preempted += other.preempted;
    for (std::size_t i = 0; i < kResourceTypesMax; ++i)
      preempted_millis.amount[i] += other.preempted_millis.amount[i];
    return *this;
  }
};

}  // namespace heddle::rm
