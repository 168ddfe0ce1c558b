#include "nodemanager/localize/local_fs.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/bytes.h"
#include "base/text.h"
#include "nodemanager/localize/act_as.h"
#include "nodemanager/localize/file_io.h"

namespace heddle::nm {
namespace {

namespace fs = std::filesystem;

Result<std::string> path_of(const std::string& url) {
  auto parsed = parse_fs_url(url);
  if (!parsed) return fail(std::move(parsed).error());
  if (parsed->scheme != "file" ||
      !(parsed->authority.empty() || parsed->authority == "localhost")) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is not a file: URL of this machine", shortened(url, 300)));
  }
  return std::move(parsed->path);
}

std::string owner_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16_KiB> buffer{};
  const bool known =
      ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return known ? entry.pw_name : std::to_string(uid);
}

FileStatus to_status(const struct stat& info) {
  return {.is_dir = S_ISDIR(info.st_mode),
          .length = S_ISDIR(info.st_mode) ? 0 : static_cast<std::uint64_t>(info.st_size),
          .modified_ms = info.st_mtim.tv_sec * 1000LL + info.st_mtim.tv_nsec / 1'000'000,
          .permission = static_cast<std::uint32_t>(info.st_mode) & 07777U,
          .owner = owner_name(info.st_uid),
          .name = {}};
}

/// Runs `work` on the path of `url` with the rights of `user`.
template <class Value, class Work>
Result<Value> as_user(const std::string& url, const std::string& user, Work work) {
  auto path = path_of(url);
  if (!path) return fail(std::move(path).error());
  const auto acting = ActAs::user(user);
  if (!acting) return fail(acting.error());
  return work(*path);
}

Result<void> make_missing(const std::string& path, std::uint32_t permission) {
  for (std::size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at);
    const std::string part = path.substr(0, at);
    if (at != std::string::npos) ++at;
    if (part.back() == '/') continue;
    if (::mkdir(part.c_str(), 0777 & permission) == 0) {
      // The mask of the process must not take bits away, and mkdir() gives no sticky bit.
      if (::chmod(part.c_str(), permission) != 0) return errno_failure(part, errno);
    } else if (errno != EEXIST) {
      return errno_failure(part, errno);
    }
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_failure(path, errno);
  if (!S_ISDIR(info.st_mode)) return errno_failure(path, EEXIST);
  return {};
}

}  // namespace

Result<FileStatus> LocalFs::stat(const std::string& url, const std::string& user) {
  return as_user<FileStatus>(url, user, [](const std::string& path) -> Result<FileStatus> {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return errno_failure(path, errno);
    return to_status(info);
  });
}

Result<std::vector<FileStatus>> LocalFs::list(const std::string& url, const std::string& user) {
  using Listing = std::vector<FileStatus>;
  return as_user<Listing>(url, user, [](const std::string& path) -> Result<Listing> {
    Listing listing;
    std::error_code error;
    fs::directory_iterator at(path, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      struct stat info {};
      if (::stat(at->path().c_str(), &info) != 0) continue;  // gone meanwhile, or a dead link
      listing.push_back(to_status(info));
      listing.back().name = at->path().filename().string();
    }
    if (error) return errno_failure(path, error.value());
    return listing;
  });
}

Result<void> LocalFs::read(const std::string& url, const std::string& user, const Sink& sink) {
  // Only the opening needs the user's rights; the sink may well write with the agent's.
  const auto file = as_user<FileDescriptor>(url, user, open_regular_file);
  if (!file) return fail(file.error());
  return read_pieces(file->get(), url, sink);
}

Result<void> LocalFs::write(const std::string& url, std::uint32_t permission,
                            const std::string& user, const Producer& produce) {
  const auto file =
      as_user<FileDescriptor>(url, user, [&](const std::string& path) -> Result<FileDescriptor> {
        ::unlink(path.c_str());  // replaces a file, never writes through a link
        FileDescriptor made(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (made.get() < 0 || ::fchmod(made.get(), permission) != 0) {
          return errno_failure(path, errno);
        }
        return made;
      });
  if (!file) return fail(file.error());
  return produce([&](std::string_view bytes) { return write_all(file->get(), url, bytes); });
}

Result<void> LocalFs::upload(const std::string& local_path, const std::string& url,
                             std::uint32_t permission, const std::string& user) {
  const auto source = open_regular_file(local_path);
  if (!source) return fail(source.error());
  return write(url, permission, user,
               [&](const Sink& sink) { return read_pieces(source->get(), local_path, sink); });
}

Result<void> LocalFs::make_dirs(const std::string& url, std::uint32_t permission,
                                const std::string& user) {
  return as_user<void>(url, user,
                       [&](const std::string& path) { return make_missing(path, permission); });
}

Result<void> LocalFs::rename(const std::string& from, const std::string& to,
                             const std::string& user) {
  const auto target = path_of(to);
  if (!target) return fail(target.error());
  return as_user<void>(from, user, [&](const std::string& path) -> Result<void> {
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, target->c_str(), RENAME_NOREPLACE) != 0) {
      return errno_failure(path + " to " + *target, errno);
    }
    return {};
  });
}

Result<void> LocalFs::remove(const std::string& url, const std::string& user, bool recursive) {
  return as_user<void>(url, user, [&](const std::string& path) -> Result<void> {
    std::error_code error;
    const auto removed = recursive ? fs::remove_all(path, error)
                                   : static_cast<std::uintmax_t>(fs::remove(path, error));
    if (error) return errno_failure(path, error.value());
    if (removed == 0) return errno_failure(path, ENOENT);
    return {};
  });
}

Result<void> LocalFs::set_permission(const std::string& url, std::uint32_t permission,
                                     const std::string& user) {
  return as_user<void>(url, user, [&](const std::string& path) -> Result<void> {
    if (::chmod(path.c_str(), permission) != 0) return errno_failure(path, errno);
    return {};
  });
}

}  // namespace heddle::nm
