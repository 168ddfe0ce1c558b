#include "compat/logfile/tfile_format.h"

#include "base/log.h"
#include "compat/logfile/aggregated_log.h"

namespace heddle::compat::logfile {

Result<void> TFileLogFormat::write(const nm::LogUpload& logs, const ByteSink& sink) const {
  AggregatedLogWriter writer(sink, compression_);
  RETURN_IF_ERROR(writer.begin(
      {.user = logs.user, .acls = {{"VIEW_APP", logs.view_acl}, {"MODIFY_APP", logs.modify_acl}}}));
  for (const auto& container : logs.containers) {
    std::vector<LogSource> sources;
    sources.reserve(container.files.size());
    for (const auto& file : container.files)
      sources.push_back({file.name, file.path});
    const auto left_out = writer.add_container(container.id, std::move(sources));
    if (!left_out) return fail(left_out.error());
    for (const std::string& line : *left_out)
      log::warn("a log is not aggregated: {}", line);
  }
  return writer.finish();
}

}  // namespace heddle::compat::logfile
