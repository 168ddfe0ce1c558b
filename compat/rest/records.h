// The records of the ResourceManager's REST answers, field by field as Hadoop 3.4 writes them.
#pragma once

#include <string>
#include <string_view>

#include "compat/rest/options.h"
#include "compat/rest/writer.h"
#include "rm/api/reports.h"

namespace heddle::compat::rest {

/// YarnApplicationState: what clients see of an application's state.
std::string_view public_state(const rm::AppReport& app);
std::string_view public_state(const rm::AttemptReport& attempt);  // YarnApplicationAttemptState

/// "2030-12-05T17:21:00.104+0000".
std::string iso_time(WallTime time);
std::string java_date(WallTime time);  // "Sun Nov 22 02:03:00 UTC 2026"
Result<WallTime> parse_iso_time(std::string_view text);

/// The URL under which the ResourceManager leads to the application; "" = none yet.
std::string tracking_url(const rm::AppReport& app, const WebOptions& options);
std::string_view tracking_ui(const rm::AppReport& app);
std::string container_log_url(std::string_view node_http, const ContainerId& container,
                              std::string_view user);

/// What an application's record leaves out (deSelects).
struct Deselected {
  bool resource_requests = false;
  bool timeouts = false;
  bool app_label = false;
  bool am_label = false;
  bool resource_info = false;
};

/// Everything needed to write a record.
struct RecordContext {
  const rm::Reports& reports;
  const WebOptions& options;
  WallTime now;
};

void write_resource(Writer& out, std::string_view name, const Resources& value,
                    const ResourceTypes& types, bool with_bounds = false);
/// The same with every number as a text, as some records have it.
void write_text_resource(Writer& out, std::string_view name, const Resources& value,
                         const ResourceTypes& types);
void write_cluster_info(Writer& out, const RecordContext& context);
void write_cluster_metrics(Writer& out, const RecordContext& context);
void write_scheduler_overview(Writer& out, const RecordContext& context);
/// The fields of one application inside an object the caller opened.
void write_app(Writer& out, const rm::AppReport& app, const RecordContext& context,
               const Deselected& deselected);
void write_timeout(Writer& out, const rm::AppReport& app, WallTime now);
void write_attempt_row(Writer& out, const rm::AttemptReport& attempt);
void write_attempt(Writer& out, const rm::AttemptReport& attempt, const RecordContext& context);
void write_container(Writer& out, const rm::ContainerReport& container,
                     const RecordContext& context);
void write_node(Writer& out, const rm::NodeReport& node, const RecordContext& context);
/// {"scheduler":{"schedulerInfo":{...}}}
void write_scheduler(Writer& out, const rm::QueueReport& root, const RecordContext& context);

}  // namespace heddle::compat::rest
