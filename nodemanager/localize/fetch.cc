#include "nodemanager/localize/fetch.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/text.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/localize/abandon.h"

namespace heddle::nm {
namespace {

constexpr int kFolderDepthMax = 64;
constexpr int kUnpackedDepthMax = 200;  // each holds a descriptor of the agent
constexpr std::size_t kFolderEntriesMax = 500'000;
constexpr int kAbandonPollMs = 100;

std::string last_name(std::string_view url) {
  while (url.size() > 1 && url.ends_with('/'))
    url.remove_suffix(1);
  const auto slash = url.rfind('/');
  return std::string(slash == std::string_view::npos ? url : url.substr(slash + 1));
}

std::string parent_of(const std::string& url) {
  const auto slash = url.rfind('/');
  if (slash == std::string::npos) return "";
  // "file:/a" and "hdfs://nn:8020/a": the root keeps its slash.
  const auto scheme = url.find(':');
  std::size_t root = scheme == std::string::npos || scheme > slash ? 0 : scheme + 1;
  if (url.compare(root, 2, "//") == 0) root = std::min(url.find('/', root + 2), url.size());
  return slash <= root ? (url.size() == root + 1 ? "" : url.substr(0, root + 1))
                       : url.substr(0, slash);
}

/// Others may read it, and may get there.
Result<bool> is_public(const FetchJob& job, RemoteFs& source, const std::string& url,
                       const FileStatus& info, int depth) {
  if (depth > kFolderDepthMax) return false;
  if ((info.permission & 0004) == 0) return false;
  if (!info.is_dir) return true;
  if ((info.permission & 0001) == 0) return false;
  auto names = source.list(url, job.user);
  if (!names) return fail(std::move(names).error());
  for (const FileStatus& child : *names) {
    auto open = is_public(job, source, url + "/" + child.name, child, depth + 1);
    if (!open || !*open) return open;
  }
  return true;
}

Result<void> check_public(const FetchJob& job, RemoteFs& source, const FileStatus& info) {
  const std::string& url = job.resource.url;
  auto open = is_public(job, source, url, info, 0);
  if (!open) return fail(std::move(open).error());
  bool reachable = *open;
  for (std::string at = parent_of(url); reachable && !at.empty(); at = parent_of(at)) {
    auto folder = source.stat(at, job.user);
    if (!folder) return fail(std::move(folder).error());
    reachable = (folder->permission & 0001) != 0;
  }
  if (reachable) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("Resource {} is not publicly accessible and as such cannot be part of "
                          "the public cache.",
                          url));
}

Result<void> check_timestamp(const FetchJob& job, const FileStatus& info, const Clock& clock) {
  if (info.modified_ms == job.resource.timestamp_ms) return {};
  return fail(ErrorCode::kWrongState,
              fmt::format("Resource {} changed on src filesystem - expected: \"{}\", was: \"{}\", "
                          "current time: \"{}\"",
                          job.resource.url, iso_time(WallTime{job.resource.timestamp_ms}),
                          iso_time(WallTime{info.modified_ms}), iso_time(clock.now().wall)));
}

Result<void> copy_tree(const FetchJob& job, RemoteFs& source, const std::string& url,
                       const FileStatus& info, const std::string& target, int depth,
                       std::size_t& entries) {
  if (depth > kFolderDepthMax || ++entries > kFolderEntriesMax) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("{} is too deep or has more than {} files",
                                                       job.resource.url, kFolderEntriesMax));
  }
  if (!info.is_dir) {
    return download(source, url, job.user, target);
  }
  RETURN_IF_ERROR(make_dir(target, 0700));
  auto names = source.list(url, job.user);
  if (!names) return fail(std::move(names).error());
  for (const FileStatus& child : *names) {
    if (child.name.empty() || child.name.find('/') != std::string::npos || child.name == "..") {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} lists a bad name", url));
    }
    RETURN_IF_ERROR(copy_tree(job, source, url + "/" + child.name, child, target + "/" + child.name,
                              depth + 1, entries));
  }
  return {};
}

std::optional<ArchiveKind> archive_kind(const LocalResource& resource, std::string_view name) {
  const std::string lower = to_lower(name);
  if (resource.type == ResourceType::kFile) return std::nullopt;
  if (lower.ends_with(".jar") || lower.ends_with(".zip")) return ArchiveKind::kZip;
  if (lower.ends_with(".tar.gz") || lower.ends_with(".tgz") || lower.ends_with(".tar")) {
    return ArchiveKind::kTar;
  }
  return std::nullopt;
}

/// What the child says, to its end; ends the child when that is not wanted any more.
std::string hear_out(pid_t child, int descriptor) {
  std::string text;
  char buffer[512];
  while (true) {
    pollfd entry{descriptor, POLLIN, 0};
    if (poll(&entry, 1, kAbandonPollMs) == 0) {
      if (AbandonScope::given_up()) kill(child, SIGKILL);
      continue;
    }
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < 4096) text.append(buffer, static_cast<std::size_t>(got));
  }
}

/// Runs the confined unpacker with the archive as its input and `folder` as its working directory.
Result<void> run_unpacker(const FetchJob& job, ArchiveKind kind, const std::string& archive,
                          const std::string& folder) {
  const bool by_pattern =
      job.resource.type == ResourceType::kPattern && to_lower(archive).ends_with(".jar");
  std::string arguments[] = {job.unpacker, kind == ArchiveKind::kZip ? "zip" : "tar",
                             std::to_string(job.limits.entries_max),
                             std::to_string(job.limits.bytes_max),
                             by_pattern ? job.resource.pattern : ""};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                  arguments[3].data(), arguments[4].data(), nullptr};
  char* environment[] = {nullptr};
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) return fail(ErrorCode::kInternal, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, archive.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output[1], 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t pid = -1;
  const int error = posix_spawn(&pid, job.unpacker.c_str(), &actions, nullptr, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  const std::string complaint = error == 0 ? hear_out(pid, output[0]) : "";
  close(output[0]);
  if (error != 0) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot start {}: {}", job.unpacker, std::strerror(error)));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFSIGNALED(status) && AbandonScope::given_up()) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: not wanted any more", job.resource.url));
  }
  if (WIFSIGNALED(status)) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("cannot unpack {}: the unpacker was ended by signal {} (its limits on "
                            "memory and processor time were reached)",
                            job.resource.url, WTERMSIG(status)));
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("cannot unpack {}: {}", job.resource.url, shortened(complaint, 1000)));
}

Result<void> place(const FetchJob& job, RemoteFs& source, const FileStatus& info,
                   const std::string& folder, const std::string& name) {
  const std::string target = folder + "/" + name;
  const auto kind = archive_kind(job.resource, name);
  std::size_t entries = 0;
  if (!kind || info.is_dir) {
    return copy_tree(job, source, job.resource.url, info, target, 0, entries);
  }
  RETURN_IF_ERROR(make_dir(target, 0700));
  const std::string archive = folder + "/.archive-" + name;
  RETURN_IF_ERROR(copy_tree(job, source, job.resource.url, info, archive, 0, entries));
  RETURN_IF_ERROR(run_unpacker(job, *kind, archive, target));
  const bool keep = job.resource.type == ResourceType::kPattern && to_lower(name).ends_with(".jar");
  if (keep) {
    const std::string kept = target + "/" + name;
    RETURN_IF_ERROR(remove_tree(kept));
    if (rename(archive.c_str(), kept.c_str()) != 0) {
      return fail(ErrorCode::kInternal,
                  fmt::format("cannot keep {}: {}", kept, std::strerror(errno)));
    }
    return {};
  }
  return remove_tree(archive);
}

struct Closer {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// Sets the modes of a tree and adds up its size, following no link.
Result<std::uint64_t> finish_modes(int parent, const char* name, Visibility visibility, int depth) {
  const bool is_public = visibility == Visibility::kPublic;
  struct stat info {};
  if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail(ErrorCode::kInternal, fmt::format("{}: {}", name, std::strerror(errno)));
  }
  if (S_ISLNK(info.st_mode)) return std::uint64_t{0};
  // Whatever the source's mode was: scripts that are run by name come from stores without x bits.
  const mode_t mode = S_ISDIR(info.st_mode) ? (is_public ? 0755 : 0700) : (is_public ? 0555 : 0500);
  if (fchmodat(parent, name, mode, 0) != 0) {
    return fail(ErrorCode::kInternal, fmt::format("{}: {}", name, std::strerror(errno)));
  }
  if (!S_ISDIR(info.st_mode)) return static_cast<std::uint64_t>(info.st_size);
  if (depth > kUnpackedDepthMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("folders nested deeper than {}", kUnpackedDepthMax));
  }
  const int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, Closer> directory(descriptor < 0 ? nullptr : fdopendir(descriptor));
  if (directory == nullptr) {
    return fail(ErrorCode::kInternal, fmt::format("{}: {}", name, std::strerror(errno)));
  }
  std::uint64_t total = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    auto size = finish_modes(dirfd(directory.get()), entry->d_name, visibility, depth + 1);
    if (!size) return size;
    total += *size;
  }
  return total;
}

Result<Fetched> fetch_into(const FetchJob& job, RemoteFs& source, const FileStatus& info,
                           const std::string& folder, const std::string& name) {
  RETURN_IF_ERROR(remove_tree(folder));
  RETURN_IF_ERROR(make_dir(folder, 0700));
  RETURN_IF_ERROR(place(job, source, info, folder, name));
  auto size = finish_modes(AT_FDCWD, folder.c_str(), job.resource.visibility, 0);
  if (!size) return fail(std::move(size).error());
  RETURN_IF_ERROR(remove_tree(job.folder));  // of an earlier agent, on a disk that was away since
  if (rename(folder.c_str(), job.folder.c_str()) != 0) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot rename {}: {}", folder, std::strerror(errno)));
  }
  return Fetched{job.folder + "/" + name, *size};
}

}  // namespace

std::string iso_time(WallTime time) {
  std::int64_t seconds = time.ms / 1000;
  std::int64_t ms = time.ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  const std::time_t when = seconds;
  std::tm parts{};
  gmtime_r(&when, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ms);
}

Result<Fetched> fetch(const FetchJob& job, RemoteFs& source, const Clock& clock) {
  const AbandonScope scope(*job.abandoned);
  if (AbandonScope::given_up()) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: not wanted any more", job.resource.url));
  }
  const std::string name = last_name(job.resource.url);
  if (name.empty() || name == "." || name == ".." || name.size() > 240) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("resource {}: its last part is not a file name", shortened(job.resource.url)));
  }
  auto info = source.stat(job.resource.url, job.user);
  if (!info && info.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("File {} does not exist", job.resource.url));
  }
  if (!info) return fail(std::move(info).error());
  if (job.resource.visibility == Visibility::kPublic && !is_web(job.resource.url)) {
    RETURN_IF_ERROR(check_public(job, source, *info));
  }
  RETURN_IF_ERROR(check_timestamp(job, *info, clock));
  const std::string unfinished = job.folder + "_tmp";
  auto fetched = fetch_into(job, source, *info, unfinished, name);
  if (!fetched) {
    if (auto removed = remove_tree(unfinished); !removed) {
      return fail(std::move(fetched.error()).within(removed.error().message));
    }
  }
  return fetched;
}

}  // namespace heddle::nm
