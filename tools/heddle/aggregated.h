// Logs of finished applications, read out of the folder that NodeManagers upload to.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/settings.h"
#include "tools/heddle/outcome.h"

namespace heddle::cli {

/// One log file of one container.
struct FoundLog {
  std::string_view container;
  std::string_view node;  // "host_port", as the file is named
  std::string_view file;
  std::string_view bytes;
};

/// Calls `visit` for each until it returns false. Only a log folder on this machine is read; for
/// others, and when there is nothing, the error names `yarn logs`. `settings` may be null.
Outcome<void> visit_aggregated(const Settings* settings, const AppId& app, const std::string& user,
                               const std::function<bool(const FoundLog&)>& visit);

}  // namespace heddle::cli
