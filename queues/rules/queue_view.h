// What placement rules need to know of the queues. Narrow on purpose: a table of configured queues
// (queue_tree.h) answers it, and so can a scheduler that makes queues while it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heddle::queues::rules {

enum class QueueKind : std::uint8_t {
  kLeaf,
  kParent,
  kManagedParent,  // makes leaves by itself, first generation (auto-create-child-queue.enabled)
};

struct KnownQueue {
  std::string path;  // full: "root.users.ann"
  QueueKind kind = QueueKind::kLeaf;
  /// Levels that may be made below it by itself: 0 none, 1 leaves, 2 parents with leaves, ...
  int creatable_levels = 0;
};

class QueueView {
 public:
  virtual ~QueueView() = default;
  /// By full path, or by the last part of the path where only one queue (leaf or parent) has it.
  virtual std::optional<KnownQueue> find(std::string_view path_or_name) const = 0;
  /// Several queues have this name as the last part of their path.
  virtual bool is_ambiguous(std::string_view name) const = 0;
  /// Whether a queue that may be made is made when an application is submitted to it.
  virtual bool creates() const = 0;
  /// A queue whose path or name looks like this one, for messages.
  virtual std::optional<std::string> nearest(std::string_view path_or_name) const = 0;
};

}  // namespace heddle::queues::rules
