#include "tools/heddle/aggregated.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "compat/logfile/aggregated_log.h"
#include "compat/logfile/tfile.h"
#include "compat/logfile/tv.h"

namespace heddle::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kBuckets = 10'000;                       // of NodeManagers since 3.3
constexpr std::uintmax_t kFileMax = std::uintmax_t{512} << 20;  // read whole
constexpr std::uint64_t kUnpackedMax = std::uint64_t{1} << 30;

tl::unexpected<CommandError> ask_yarn(const AppId& app, std::string why) {
  return stop(kExitFailed, std::move(why), "yarn logs -applicationId " + to_string(app));
}

/// The folder as a local path; "" when it is on another file system.
std::string local_path(const Settings& settings) {
  std::string dir = settings.get_or("yarn.nodemanager.remote-app-log-dir", "/tmp/logs");
  if (dir.find(':') == std::string::npos) {
    if (!settings.get_or("fs.defaultFS", "file:///").starts_with("file:")) return "";
    return dir;
  }
  if (!dir.starts_with("file:/")) return "";
  dir.erase(0, 5);
  while (dir.starts_with("//"))
    dir.erase(0, 1);
  return dir;
}

std::vector<fs::path> node_files(const std::string& root, const Settings& settings,
                                 const AppId& app, const std::string& user) {
  const std::string suffix = settings.get_or("yarn.nodemanager.remote-app-log-dir-suffix", "logs");
  const fs::path home = fs::path(root) / user;
  const fs::path places[] = {home / fmt::format("bucket-{}-tfile", suffix) /
                                 fmt::format("{:04}", app.sequence % kBuckets) / to_string(app),
                             home / (suffix + "-tfile") / to_string(app),
                             home / suffix / to_string(app)};
  std::vector<fs::path> files;
  for (const fs::path& place : places) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(place, error)) {
      if (entry.is_regular_file(error) && entry.path().extension() != ".tmp") {
        files.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

Outcome<std::string> read_whole(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (!error && size > kFileMax) {
    return stop(kExitFailed,
                fmt::format("{} has {} bytes, more than {}", path.string(), size, kFileMax),
                "yarn logs reads it piece by piece");
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (error || !file) {
    return stop(kExitNotAllowed, path.string() + " cannot be read",
                "log files belong to the application's user: read them as that user");
  }
  return bytes;
}

/// False when the visitor had enough.
Outcome<bool> visit_file(const fs::path& path, const std::function<bool(const FoundLog&)>& visit) {
  const auto bytes = read_whole(path);
  if (!bytes) return stop(bytes.error());
  const auto damaged = [&](const Error& error) {
    return stop(kExitFailed, fmt::format("{}: {}", path.string(), error.message),
                "the node may still be writing it: try again, or use yarn logs");
  };
  const auto records = compat::logfile::read_tfile(*bytes, kUnpackedMax);
  if (!records) return damaged(records.error());
  const std::string node = path.filename().string();
  for (const auto& record : *records) {
    compat::logfile::TvReader key(record.key);
    const auto container = key.java_utf();
    if (!container || !container->starts_with("container_")) continue;  // VERSION, owner, ACLs
    const auto logs = compat::logfile::read_container_value(record.value);
    if (!logs) return damaged(logs.error());
    for (const auto& log : *logs) {
      if (!visit({*container, node, log.name, log.bytes})) return false;
    }
  }
  return true;
}

}  // namespace

Outcome<void> visit_aggregated(const Settings* settings, const AppId& app, const std::string& user,
                               const std::function<bool(const FoundLog&)>& visit) {
  if (settings == nullptr) {
    return ask_yarn(app,
                    "where finished logs are kept is known from the configuration only: give "
                    "--conf DIR, too");
  }
  const std::string root = local_path(*settings);
  if (root.empty()) {
    return ask_yarn(app, fmt::format("finished logs are in {}, which is not read here yet",
                                     settings->get_or("yarn.nodemanager.remote-app-log-dir", "")));
  }
  if (user.empty() || user == "." || user == ".." || user.find('/') != std::string::npos) {
    return ask_yarn(app, fmt::format("user '{}' names no folder", shortened(user)));
  }
  const auto files = node_files(root, *settings, app, user);
  if (files.empty()) {
    return ask_yarn(app,
                    fmt::format("no logs of {} in {} (yet): aggregation may be off or under way",
                                to_string(app), root));
  }
  for (const fs::path& file : files) {
    const auto more = visit_file(file, visit);
    if (!more) return stop(more.error());
    if (!*more) break;
  }
  return {};
}

}  // namespace heddle::cli
