#include "rm/service/queue_settings.h"

#include <string>

namespace heddle::rm {
namespace {

constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";

bool is_of_queues(std::string_view name, const Setting& setting) {
  if (setting.source == "default" || setting.source == "command line") return false;
  return name.starts_with(kPrefix) || setting.source.starts_with(kQueueFile);
}

}  // namespace

QueueSettings queue_settings_of(const Settings& settings) {
  QueueSettings queues;
  for (const auto& [name, setting] : settings.all()) {
    if (is_of_queues(name, setting)) queues.emplace(name, setting.value);
  }
  if (settings.find(kRootQueues) == nullptr) {
    queues.emplace(kRootQueues, "default");
    queues.emplace("yarn.scheduler.capacity.root.default.capacity", "100");
  }
  return queues;
}

Settings with_queue_settings(const Settings& settings, const QueueSettings& queues,
                             std::string_view source) {
  Settings out;
  for (const auto& [name, setting] : settings.all()) {
    if (!is_of_queues(name, setting)) out.set(name, setting);
  }
  // What has another meaning than that of queues stays as the other files say.
  for (const auto& [name, value] : queues) {
    if (name.starts_with(kPrefix)) out.set(name, {value, std::string(source), false});
  }
  return out;
}

}  // namespace heddle::rm
