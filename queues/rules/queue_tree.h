// The queues that yarn.scheduler.capacity.*.queues list, by path and by name.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "base/settings.h"
#include "queues/rules/queue_view.h"

namespace heddle::queues::rules {

class QueueTree final : public QueueView {
 public:
  /// Reads names and automatic creation alone; capacities are judged by queues/config.h. Without
  /// any queue there is root.default, as Hadoop's sample file has it.
  static QueueTree from(const Settings& settings);

  std::optional<KnownQueue> find(std::string_view path_or_name) const override;
  bool is_ambiguous(std::string_view name) const override;
  bool creates() const override { return true; }
  std::optional<std::string> nearest(std::string_view path_or_name) const override;
  std::size_t size() const { return by_path_.size(); }
  void add(KnownQueue facts);

 private:
  struct Named {
    std::string path;
    std::size_t count = 0;
  };

  std::map<std::string, KnownQueue, std::less<>> by_path_;
  std::map<std::string, Named, std::less<>> by_name_;  // all but root
};

/// Those and others that were made since.
class LiveQueues final : public QueueView {
 public:
  /// Both must outlive this object.
  LiveQueues(const QueueTree& listed, const QueueTree& made) : listed_(listed), made_(made) {}
  std::optional<KnownQueue> find(std::string_view path_or_name) const override;
  bool is_ambiguous(std::string_view name) const override;
  bool creates() const override { return true; }
  std::optional<std::string> nearest(std::string_view path_or_name) const override {
    return listed_.nearest(path_or_name);
  }

 private:
  const QueueTree& listed_;
  const QueueTree& made_;
};

}  // namespace heddle::queues::rules
