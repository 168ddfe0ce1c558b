// What the store keeps as JSON text, and back: the searchable part of a submission (the launch blob
// is kept apart), and settings.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "rm/api/commands.h"
#include "rm/api/queue_changes.h"
#include "rm/api/reports.h"

namespace heddle::rm {

std::string to_json(const Submission& submission);
/// kInternal: the text is not what to_json() writes.
Result<Submission> submission_from_json(std::string_view text);

std::string to_json(const ResourceSeconds& seconds);
Result<ResourceSeconds> seconds_from_json(std::string_view text);

std::string to_json(const QueueSettings& settings);
Result<QueueSettings> queue_settings_from_json(std::string_view text);

}  // namespace heddle::rm
