#include "rm/store/submission_json.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace heddle::rm {
namespace {

using nlohmann::json;

json to_value(const Resources& resources) {
  return resources.amount;
}

Resources resources_from(const json& value) {
  Resources out;
  out.amount = value.get<std::array<std::int64_t, kResourceTypesMax>>();
  return out;
}

json to_value(const Ask& ask) {
  return {{"priority", ask.priority},
          {"place", ask.resource_name},
          {"resources", to_value(ask.resources)},
          {"containers", ask.containers},
          {"relax", ask.relax_locality},
          {"label", ask.label_expression.value_or("")}};
}

/// An empty one says the default partition only where "default_partition" is with it: rows from
/// before there was a difference have none of it.
std::optional<std::string> label_from(const json& value) {
  auto label = value.at("label").get<std::string>();
  if (label.empty() && !value.value("default_partition", false)) return std::nullopt;
  return label;
}

Ask ask_from(const json& value) {
  Ask ask;
  value.at("priority").get_to(ask.priority);
  value.at("place").get_to(ask.resource_name);
  ask.resources = resources_from(value.at("resources"));
  value.at("containers").get_to(ask.containers);
  value.at("relax").get_to(ask.relax_locality);
  ask.label_expression = label_from(value);
  return ask;
}

Submission from(const json& value) {
  Submission out;
  value.at("cluster").get_to(out.id.cluster_start_ms);
  value.at("sequence").get_to(out.id.sequence);
  value.at("name").get_to(out.name);
  value.at("type").get_to(out.type);
  value.at("queue").get_to(out.queue);
  value.at("tags").get_to(out.tags);
  value.at("priority").get_to(out.priority);
  out.am_resources = resources_from(value.at("am"));
  for (const json& ask : value.at("asks"))
    out.am_asks.push_back(ask_from(ask));
  value.at("unmanaged").get_to(out.unmanaged);
  value.at("keep").get_to(out.keep_containers);
  value.at("cancel_tokens").get_to(out.cancel_tokens_when_complete);
  value.at("attempts").get_to(out.max_attempts);
  value.at("validity_ms").get_to(out.attempt_failures_validity_ms);
  value.at("lifetime_s").get_to(out.lifetime_seconds);
  out.label_expression = label_from(value);
  value.at("view").get_to(out.view_acl);
  value.at("modify").get_to(out.modify_acl);
  if (const auto reservation = value.find("reservation"); reservation != value.end()) {
    out.reservation = {reservation->at(0).get<std::int64_t>(),
                       reservation->at(1).get<std::int64_t>()};
  }
  auto logs = base64_decode(value.at("logs").get<std::string>());
  if (logs) out.log_aggregation_context = *std::move(logs);
  return out;
}

/// Runs `read` on the parsed text; a library that throws stops here.
template <class T, class Read>
Result<T> parsed(std::string_view text, Read read) {
  try {
    return read(json::parse(text));
  } catch (const json::exception& error) {
    return fail(ErrorCode::kInternal,
                fmt::format("stored record does not parse: {}", error.what()));
  }
}

}  // namespace

std::string to_json(const Submission& submission) {
  json asks = json::array();
  for (const Ask& ask : submission.am_asks)
    asks.push_back(to_value(ask));
  json value = {{"cluster", submission.id.cluster_start_ms},
                {"sequence", submission.id.sequence},
                {"name", submission.name},
                {"type", submission.type},
                {"queue", submission.queue},
                {"tags", submission.tags},
                {"priority", submission.priority},
                {"am", to_value(submission.am_resources)},
                {"asks", asks},
                {"unmanaged", submission.unmanaged},
                {"keep", submission.keep_containers},
                {"cancel_tokens", submission.cancel_tokens_when_complete},
                {"attempts", submission.max_attempts},
                {"validity_ms", submission.attempt_failures_validity_ms},
                {"lifetime_s", submission.lifetime_seconds},
                {"label", submission.label_expression.value_or("")},
                {"default_partition", submission.label_expression == ""},
                {"view", submission.view_acl},
                {"modify", submission.modify_acl},
                {"logs", base64_encode(submission.log_aggregation_context)}};
  if (submission.reservation) {
    value["reservation"] = {submission.reservation->cluster_start_ms,
                            submission.reservation->sequence};
  }
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Submission> submission_from_json(std::string_view text) {
  return parsed<Submission>(text, [](const json& value) { return from(value); });
}

std::string to_json(const ResourceSeconds& seconds) {
  return json(seconds.amount).dump();
}

Result<ResourceSeconds> seconds_from_json(std::string_view text) {
  return parsed<ResourceSeconds>(text, [](const json& value) {
    ResourceSeconds out;
    value.get_to(out.amount);
    return out;
  });
}

std::string to_json(const QueueSettings& settings) {
  return json(settings).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<QueueSettings> queue_settings_from_json(std::string_view text) {
  return parsed<QueueSettings>(text, [](const json& value) {
    QueueSettings out;
    for (const auto& [name, setting] : value.items())
      out.emplace(name, setting.get<std::string>());
    return out;
  });
}

}  // namespace heddle::rm
