// What both tests of the oracle need of the production scheduler.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "queues/scheduler.h"
#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {

inline Told told_by(const queues::Scheduler& ours, const Scheduler& naive) {
  Told out;
  for (const Node& node : naive.nodes())
    out.on_node[node.id] = ours.node(node.id)->reserved;
  for (const auto& [id, app] : naive.apps())
    out.for_app[id] = ours.app(id)->reserved;
  for (const QueuePath& path : ours.queue_paths()) {
    const auto queue = ours.queue(path);
    for (const queues::PartitionUse& part : queue->partitions) {
      if (!part.kept.is_zero()) out.in_queue[{path.value(), part.label}] = part.kept;
    }
  }
  return out;
}

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  const auto number = parse_int(text == nullptr ? "" : text);
  return number && *number >= 0 ? static_cast<std::uint64_t>(*number) : otherwise;
}

}  // namespace heddle::naive
