#include "queues/config_change.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/text.h"
#include "queues/config_values.h"
#include "queues/scheduler.h"

namespace heddle::queues {
namespace {

std::string key_of(std::string_view queue, std::string_view property) {
  return fmt::format("{}{}.{}", kCapacityPrefix, queue, property);
}

/// "root.a.b" -> {"root.a", "b"}; no dot: {"", "root"}.
std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const auto dot = path.rfind('.');
  if (dot == path.npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

std::vector<std::string> children_of(const SettingValues& settings, std::string_view queue) {
  const auto found = settings.find(key_of(queue, "queues"));
  return found == settings.end() ? std::vector<std::string>() : split_list(found->second);
}

bool is_queue_name(std::string_view name) {
  return !name.empty() && name.find_first_of(".*[]= \t\r\n/\"',") == name.npos;
}

/// A queue below one that gets children by itself: it comes when an application needs it.
bool may_be_made(const SettingValues& settings, std::string_view path) {
  const auto is_on = [&](std::string_view queue, std::string_view property) {
    const auto found = settings.find(key_of(queue, property));
    return found != settings.end() && to_lower(trim(found->second)) == "true";
  };
  while (path.find('.') != path.npos) {
    path = path.substr(0, path.rfind('.'));
    if (is_on(path, "auto-queue-creation-v2.enabled")) return true;
  }
  return false;
}

/// Settings below these names are no queue's of their own: templates of queues made by themselves.
bool is_template(std::string_view path) {
  return path.find("leaf-queue-template") != path.npos ||
         path.find("auto-queue-creation-v2") != path.npos || path.find('*') != path.npos;
}

class Changer {
 public:
  explicit Changer(SettingValues now) { out_.settings = std::move(now); }

  void remove(std::vector<std::string> paths);
  void add(const std::vector<QueueUpdate>& queues);
  void update(const std::vector<QueueUpdate>& queues);
  void set(const SettingUpdates& updates);
  Changed finish();

 private:
  void fault(std::string text) { out_.faults.push_back(std::move(text)); }
  void remove_one(const std::string& path);
  void add_one(const QueueUpdate& queue);
  void set_all(const QueueUpdate& queue);
  void put(std::string name, const std::optional<std::string>& value);
  void set_children(std::string_view parent, const std::vector<std::string>& names);
  /// The order of a leaf's applications says nothing for a parent's children, and back.
  void forget_order(std::string_view queue) {
    out_.settings.erase(key_of(queue, "ordering-policy"));
  }

  Changed out_;
};

void Changer::put(std::string name, const std::optional<std::string>& value) {
  const auto refuse = [&](std::string_view why) {
    fault(fmt::format("setting \"{}\": {}", shortened(name), why));
  };
  if (trim(name).empty() || name.size() > kSettingNameMax) {
    return refuse(fmt::format("a name of 1 to {} bytes is expected", kSettingNameMax));
  }
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; };
  if (std::ranges::any_of(name, is_odd) || !is_valid_utf8(name)) {
    return refuse("blanks, control characters and broken UTF-8 are not accepted in a name");
  }
  if (!value) {
    out_.settings.erase(name);
    return;
  }
  if (value->size() > kSettingValueMax) {
    return refuse(
        fmt::format("its value has {} bytes, {} are accepted", value->size(), kSettingValueMax));
  }
  if (!is_valid_utf8(*value) || value->find('\0') != std::string::npos) {
    return refuse("its value is not UTF-8 text");
  }
  out_.settings.insert_or_assign(std::move(name), *value);
}

void Changer::set_children(std::string_view parent, const std::vector<std::string>& names) {
  if (names.empty()) {
    out_.settings.erase(key_of(parent, "queues"));
  } else {
    out_.settings.insert_or_assign(key_of(parent, "queues"), join(names, ","));
  }
}

void Changer::remove_one(const std::string& path) {
  const auto [parent, name] = split_path(path);
  if (parent.empty()) return fault(fmt::format("Can't remove queue {}", shortened(path)));
  auto siblings = children_of(out_.settings, parent);
  const auto at = std::ranges::find(siblings, name);
  if (at == siblings.end()) return fault(fmt::format("Queue {} not found", shortened(path)));
  if (const auto children = children_of(out_.settings, path); !children.empty()) {
    return fault(fmt::format(
        "queue {} has children ({}); remove them first, or name them in the same change", path,
        shortened(join(children, ", "), 200)));
  }
  siblings.erase(at);
  set_children(parent, siblings);
  if (siblings.empty()) forget_order(parent);
  const std::string below = key_of(path, "");
  auto key = out_.settings.lower_bound(below);
  while (key != out_.settings.end() && key->first.starts_with(below))
    key = out_.settings.erase(key);
}

void Changer::remove(std::vector<std::string> paths) {
  // Children before their parents, in whatever order they were named.
  std::ranges::stable_sort(paths, std::greater<>(),
                           [](const std::string& path) { return std::ranges::count(path, '.'); });
  for (const std::string& path : paths)
    remove_one(path);
}

void Changer::set_all(const QueueUpdate& queue) {
  for (const auto& [name, value] : queue.values) {
    const bool blank = !value || value->empty();
    put(key_of(queue.queue, name), blank ? std::nullopt : value);
  }
}

void Changer::add_one(const QueueUpdate& queue) {
  const auto [parent, name] = split_path(queue.queue);
  if (parent.empty() || !is_queue_name(name) || queue.queue.size() > kSettingNameMax) {
    return fault(fmt::format("Can't add invalid queue {}", shortened(queue.queue)));
  }
  auto siblings = children_of(out_.settings, parent);
  if (std::ranges::find(siblings, name) != siblings.end()) {
    return fault(fmt::format("Can't add existing queue {}", shortened(queue.queue)));
  }
  siblings.emplace_back(name);
  set_children(parent, siblings);
  if (siblings.size() == 1) forget_order(parent);
  set_all(queue);
}

void Changer::add(const std::vector<QueueUpdate>& queues) {
  for (const QueueUpdate& queue : queues)
    add_one(queue);
  for (const QueueUpdate& queue : queues) {
    const auto parent = split_path(queue.queue).first;
    if (parent.empty() || has_queue(out_.settings, parent)) continue;
    fault(fmt::format("Can't add queue {}: there is no queue {}", shortened(queue.queue),
                      shortened(parent)));
  }
}

void Changer::update(const std::vector<QueueUpdate>& queues) {
  for (const QueueUpdate& queue : queues) {
    if (has_queue(out_.settings, queue.queue) || is_template(queue.queue) ||
        may_be_made(out_.settings, queue.queue)) {
      set_all(queue);
    } else {
      fault(fmt::format("Queue {} not found", shortened(queue.queue)));
    }
  }
}

void Changer::set(const SettingUpdates& updates) {
  for (const auto& [name, value] : updates)
    put(name, value);
}

Changed Changer::finish() {
  std::size_t bytes = 0;
  for (const auto& [name, value] : out_.settings)
    bytes += name.size() + value.size();
  if (bytes > kSettingsBytesMax) {
    fault(fmt::format("the settings would have {} bytes together; {} are accepted", bytes,
                      kSettingsBytesMax));
  }
  return std::move(out_);
}

std::string value_text(const SettingUpdates& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value.value_or(""));
  }
  return text;
}

using TellLost = std::function<void(const LostHome&)>;

void tell_gone(const QueueSpec& queue, bool parent_stopped, const TellLost& tell) {
  const bool stopped = parent_stopped || queue.state != QueueState::kRunning;
  tell({queue, stopped, true});
  for (const QueueSpec& child : queue.children)
    tell_gone(child, stopped, tell);
}

void find_lost(const QueueSpec& before, const QueueSpec& after, bool parent_stopped,
               const TellLost& tell) {
  const bool stopped = parent_stopped || before.state != QueueState::kRunning;
  if (before.is_leaf() && !after.is_leaf()) tell({before, stopped, false});
  std::map<std::string_view, const QueueSpec*> by_name;
  for (std::size_t i = 0; i < before.children.size(); ++i) {
    const QueueSpec& child = before.children[i];
    const QueueSpec* now = nullptr;
    if (i < after.children.size() && after.children[i].name == child.name) {
      now = &after.children[i];  // most often
    } else {
      if (by_name.empty()) {
        for (const QueueSpec& one : after.children)
          by_name.emplace(one.name, &one);
      }
      const auto found = by_name.find(child.name);
      now = found != by_name.end() ? found->second : nullptr;
    }
    if (now != nullptr) {
      find_lost(child, *now, stopped, tell);
    } else {
      tell_gone(child, stopped, tell);
    }
  }
}

bool says_stopped(const SettingValues& settings, std::string_view path) {
  const auto found = settings.find(key_of(path, "state"));
  return found != settings.end() && to_upper(trim(found->second)) == "STOPPED";
}

}  // namespace

bool has_queue(const SettingValues& settings, std::string_view path) {
  if (path == "root") return true;
  const auto [parent, name] = split_path(path);
  if (parent.empty()) return false;
  const auto siblings = children_of(settings, parent);
  return std::ranges::find(siblings, name) != siblings.end() && has_queue(settings, parent);
}

Changed apply_change(const SettingValues& now, const ConfigChange& change) {
  Changer changer(change.replace ? SettingValues() : now);
  if (change.replace) {
    SettingUpdates all;
    for (const auto& [name, value] : *change.replace)
      all.emplace(name, value);
    changer.set(all);
  }
  changer.remove(change.remove);
  changer.add(change.add);
  changer.update(change.update);
  changer.set(change.global);
  return changer.finish();
}

std::string describe(const ConfigChange& change) {
  std::vector<std::string> parts;
  const auto each = [&](std::string_view what, const std::vector<QueueUpdate>& queues) {
    for (const QueueUpdate& queue : queues) {
      const std::string values = value_text(queue.values);
      parts.push_back(fmt::format("{} {}{}", what, queue.queue,
                                  values.empty() ? "" : fmt::format(" ({})", values)));
    }
  };
  if (change.replace)
    parts.push_back(fmt::format("replace all {} settings", change.replace->size()));
  for (const std::string& queue : change.remove)
    parts.push_back("remove " + queue);
  each("add", change.add);
  each("update", change.update);
  if (!change.global.empty()) parts.push_back("set " + value_text(change.global));
  return shortened(join(parts, "; "), 2000);
}

std::vector<std::string> transition_faults(const Scheduler& scheduler, const QueueConfig& next,
                                           const SettingValues& next_settings) {
  std::map<std::string, std::string> faults;  // by path
  const auto with_made = scheduler.with_made(next);
  const QueueSpec& root = with_made ? with_made->root : next.root;
  for_each_lost_home(scheduler.config().root, root, [&](const LostHome& lost) {
    const std::string& path = lost.queue.path.value();
    const auto report = scheduler.queue(lost.queue.path);
    if (lost.queue.is_leaf() && report && report->apps > 0) {
      faults[path] =
          fmt::format("queue {} has {} applications; stop it first, and wait for them or move them",
                      path, report->apps);
    } else if (lost.queue.origin == Origin::kListed && !lost.stopped &&
               !says_stopped(next_settings, path)) {
      faults[path] = lost.gone
                         ? fmt::format(
                               "{} cannot be deleted from the capacity scheduler configuration, "
                               "as the queue is not yet in stopped state. Current State : "
                               "RUNNING",
                               path)
                         : fmt::format(
                               "Can not convert the leaf queue: {} to parent queue since it is "
                               "not yet in stopped state. Current State : RUNNING",
                               path);
    }
  });
  std::vector<std::string> out;
  out.reserve(faults.size());
  for (auto& [path, fault] : faults)
    out.push_back(std::move(fault));
  return out;
}

void for_each_lost_home(const QueueSpec& before, const QueueSpec& after, const TellLost& tell) {
  find_lost(before, after, false, tell);
}

}  // namespace heddle::queues
