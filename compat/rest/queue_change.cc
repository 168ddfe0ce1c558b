#include "compat/rest/queue_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

using queues::QueueUpdate;
using queues::SettingUpdates;

Failure refuse(const Body& at, std::string_view what) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{}: {}, at {}", shortened(at.name), what, at.where()));
}

/// nullopt: nothing is given, which takes a setting away.
Result<std::optional<std::string>> value_of(const Body* value) {
  if (value == nullptr || value->kind == Body::Kind::kNull) return std::optional<std::string>();
  if (value->kind == Body::Kind::kObject) return refuse(*value, "must be a text");
  return std::optional(value->text);
}

Result<void> add_value(SettingUpdates& into, const Body& at, std::string name, const Body* value) {
  auto text = value_of(value);
  if (!text) return fail(std::move(text).error());
  if (!into.emplace(std::move(name), *std::move(text)).second) {
    return refuse(at, "the same key is given twice");
  }
  return {};
}

Result<void> add_map(SettingUpdates& into, const Body& map) {
  if (map.kind != Body::Kind::kObject) {
    if (trim(map.text).empty()) return {};  // an empty element of XML, or null
    return refuse(map, "must be an object");
  }
  for (const Body& child : map.children) {
    const bool is_entry = child.name == "entry" && child.kind == Body::Kind::kObject;
    if (!is_entry) {
      RETURN_IF_ERROR(add_value(into, child, child.name, &child));
      continue;
    }
    const auto key = child.text_of("key");
    if (!key) return fail(key.error());
    if (trim(*key).empty()) return refuse(child, "has no key");
    RETURN_IF_ERROR(add_value(into, child, std::string(trim(*key)), child.find("value")));
  }
  return {};
}

Result<void> check_names(const Body& body, std::initializer_list<std::string_view> known) {
  for (const Body& child : body.children) {
    if (std::find(known.begin(), known.end(), child.name) == known.end()) {
      return refuse(child, fmt::format("not known here; {} are",
                                       fmt::join(known.begin(), known.end(), ", ")));
    }
  }
  return {};
}

Result<QueueUpdate> queue_update(const Body& body) {
  if (body.kind != Body::Kind::kObject) return refuse(body, "must be an object with queue-name");
  RETURN_IF_ERROR(check_names(body, {"queue-name", "params"}));
  const auto name = body.text_of("queue-name");
  if (!name) return fail(name.error());
  QueueUpdate update;
  update.queue = trim(*name);
  if (update.queue.empty()) return refuse(body, "has no queue-name");
  for (const Body* params : body.all("params"))
    RETURN_IF_ERROR(add_map(update.values, *params));
  return update;
}

Result<void> add_updates(std::vector<QueueUpdate>& into, const Body& body, std::string_view name) {
  for (const Body* one : body.all(name)) {
    if (one->kind == Body::Kind::kNull) continue;
    auto update = queue_update(*one);
    if (!update) return fail(std::move(update).error());
    into.push_back(*std::move(update));
  }
  return {};
}

Result<void> read_sched_conf(const Body& body, queues::ConfigChange& change) {
  for (const Body* queue : body.all("remove-queue")) {
    if (queue->kind == Body::Kind::kObject) return refuse(*queue, "must be the path of a queue");
    if (const auto path = trim(queue->text); !path.empty()) change.remove.emplace_back(path);
  }
  RETURN_IF_ERROR(add_updates(change.add, body, "add-queue"));
  RETURN_IF_ERROR(add_updates(change.update, body, "update-queue"));
  // The Java client writes the same map under both names.
  for (const auto* name : {"global", "global-updates"}) {
    for (const Body* map : body.all(name)) {
      SettingUpdates updates;
      RETURN_IF_ERROR(add_map(updates, *map));
      for (auto& [key, value] : updates) {
        const auto [known, added] = change.global.emplace(key, value);
        if (!added && known->second != value) {
          return refuse(*map, fmt::format("{} has another value before", shortened(key)));
        }
      }
    }
  }
  return {};
}

Result<void> read_own(const Body& body, rm::QueueChange& out) {
  if (const Body* settings = body.find("settings"); settings != nullptr) {
    SettingUpdates all;
    RETURN_IF_ERROR(add_map(all, *settings));
    out.change.replace.emplace();
    for (auto& [name, value] : all) {
      if (value) out.change.replace->emplace(name, *std::move(value));
    }
  }
  if (body.find("version") != nullptr) {
    const auto version = body.number_of("version", 0);
    if (!version) return fail(version.error());
    out.to_version = *version;
  }
  const auto dry_run = body.flag_of("dry-run", false);
  if (!dry_run) return fail(dry_run.error());
  out.dry_run = *dry_run;
  return {};
}

}  // namespace

Result<rm::QueueChange> queue_change_from_body(const Body& body, ChangeForm form) {
  if (body.children.size() == 1 && body.children.front().name == "sched-conf" &&
      body.children.front().kind == Body::Kind::kObject) {
    return queue_change_from_body(body.children.front(), form);
  }
  rm::QueueChange out;
  if (form == ChangeForm::kHadoop) {
    RETURN_IF_ERROR(check_names(body, {"add-queue", "remove-queue", "update-queue", "global",
                                       "global-updates", "subClusterId"}));
  } else {
    RETURN_IF_ERROR(
        check_names(body, {"add-queue", "remove-queue", "update-queue", "global", "global-updates",
                           "subClusterId", "settings", "version", "dry-run"}));
    RETURN_IF_ERROR(read_own(body, out));
  }
  RETURN_IF_ERROR(read_sched_conf(body, out.change));
  return out;
}

}  // namespace heddle::compat::rest
