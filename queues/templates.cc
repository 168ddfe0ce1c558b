#include "queues/templates.h"

#include <fmt/core.h>

#include "queues/config_values.h"

namespace heddle::queues {
namespace {

constexpr std::string_view kTemplateSource = "template";

/// Of a queue that is not listed, and whose parent (or a queue above that) makes queues.
bool is_of_one_to_come(std::string_view path, const QueueTemplates::Paths& listed,
                       const QueueTemplates::Paths& makers) {
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1)) {
    if (!makers.contains(path.substr(0, dot))) continue;
    const std::string_view child = path.substr(0, path.find('.', dot + 1));
    return child.size() < path.size() && !listed.contains(child);
  }
  return false;
}

}  // namespace

QueueTemplates::QueueTemplates(const Settings& settings, const Paths& listed, const Paths& makers,
                               const Limits& limits, const ResourceTypes& types)
    : limits_(limits), types_(types) {
  const auto& all = settings.all();
  for (auto it = all.lower_bound(kCapacityPrefix);
       it != all.end() && it->first.starts_with(kCapacityPrefix); ++it) {
    const std::string_view name = std::string_view(it->first).substr(kCapacityPrefix.size());
    const bool of_queue = name.starts_with("root.");
    const bool wanted = !of_queue || name.find("auto-queue-creation-v2.") != name.npos ||
                        is_of_one_to_come(name, listed, makers);
    if (!wanted) continue;
    (of_queue ? of_paths_ : of_no_queue_).emplace(it->first, settings.get_or(it->first, ""));
  }
}

Settings QueueTemplates::settings_of(const QueueSpec& parent, const std::string& name,
                                     bool leaf) const {
  Settings out;
  const auto put = [&](std::string key, const std::string& value) {
    if (out.find(key) == nullptr) {
      out.set(std::move(key), {value, std::string(kTemplateSource), false});
    }
  };
  const std::string head = fmt::format("{}{}.{}.", kCapacityPrefix, parent.path.value(), name);
  for (const auto* known : {&of_no_queue_, &of_paths_}) {
    for (const auto& [key, value] : *known)
      put(key, value);
  }
  if (const AutoParentPtr& templates = parent.auto_parent) {
    for (const auto& [key, value] : leaf ? templates->of_leaves : templates->of_parents)
      put(head + key, value);
    for (const auto& [key, value] : templates->common)
      put(head + key, value);
  }
  if (parent.auto_creation == AutoCreation::kManaged) return out;
  put(head + "capacity", "1w");
  if (leaf) {
    put(head + "user-limit-factor", "-1");
    put(head + "maximum-am-resource-percent", "1");
  }
  return out;
}

}  // namespace heddle::queues
