// Where a node keeps what belongs to users, applications and containers. Source: wire facts
// "container", section 1. Pure, but for the directory helpers at the end.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace heddle::nm {

/// A user name becomes part of paths: [A-Za-z0-9._-]+, no '-' or '.' in front, 255 at most.
Result<void> check_user_name(std::string_view user);

// `local` is one of yarn.nodemanager.local-dirs, `log` one of yarn.nodemanager.log-dirs.
std::string public_cache_dir(std::string_view local);
std::string user_dir(std::string_view local, std::string_view user);
std::string user_cache_dir(std::string_view local, std::string_view user);
std::string app_dir(std::string_view local, std::string_view user, const AppId& app);
std::string app_cache_dir(std::string_view local, std::string_view user, const AppId& app);
std::string work_dir(std::string_view local, std::string_view user, const ContainerId& container);
std::string private_dir(std::string_view local, const ContainerId& container);  // nmPrivate
std::string private_app_dir(std::string_view local, const AppId& app);
std::string log_dir(std::string_view log, const ContainerId& container);
std::string app_log_dir(std::string_view log, const AppId& app);

/// Makes `path` with exactly `mode`; its parent must exist. One that is there already is accepted
/// and gets the mode; anything else there is an error.
Result<void> make_dir(const std::string& path, mode_t mode);
/// Also makes missing parents, with 755.
Result<void> make_dirs(const std::string& path, mode_t mode);
/// Writes a new file by way of `path`.tmp and rename, with exactly `mode`.
Result<void> write_file(const std::string& path, std::string_view content, mode_t mode);
/// Removes a file or a whole tree, never following a link. What is not there is no error.
Result<void> remove_tree(const std::string& path);
/// Reads at most the last `bytes_max` bytes; "" when the file cannot be read.
std::string read_tail(const std::string& path, std::size_t bytes_max);
/// Names in a directory, sorted; empty when it cannot be read.
std::vector<std::string> list_dir(const std::string& path);

}  // namespace heddle::nm
