#include "nodemanager/launch/layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace heddle::nm {
namespace {

constexpr int kDepthMax = 32;  // of directories that are open at a time

Failure system_error(std::string_view what, const std::string& path, int error) {
  const ErrorCode code = error == ENOENT   ? ErrorCode::kNotFound
                         : error == ENOSPC ? ErrorCode::kLimitExceeded
                                           : ErrorCode::kInternal;
  return fail(code, fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

struct DirCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};
using DirHandle = std::unique_ptr<DIR, DirCloser>;

DirHandle open_dir_at(int parent, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int descriptor = openat(parent, name, kFlags);
  if (descriptor < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) {
    descriptor = openat(parent, name, kFlags);
  }
  if (descriptor < 0) return nullptr;
  DirHandle handle(fdopendir(descriptor));
  if (handle == nullptr) close(descriptor);
  return handle;
}

/// Removes trees of any depth with few descriptors and little stack: what lies too deep is first
/// moved up to the root of the tree.
class TreeRemover {
 public:
  /// 0, or the first errno.
  int remove(const char* path) {
    if (unlink_at(AT_FDCWD, path)) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;
    {
      const DirHandle root = open_dir_at(AT_FDCWD, path);
      if (root == nullptr) return errno == ENOENT ? 0 : errno;
      root_ = dirfd(root.get());
      int error = 0;
      do {
        moved_ = 0;
        rewinddir(root.get());
        error = empty(root.get(), 0);
      } while (error == 0 && moved_ > 0);
      if (error != 0) return error;
    }
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
  }

 private:
  static bool unlink_at(int parent, const char* name) {
    return unlinkat(parent, name, 0) == 0 || errno == ENOENT;
  }

  /// Directories without the owner's write bit get it first.
  int empty(DIR* directory, int depth) {
    int result = 0;
    fchmod(dirfd(directory), 0700);
    while (const dirent* entry = readdir(directory)) {
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      const int error = remove_entry(dirfd(directory), entry->d_name, depth + 1);
      if (result == 0) result = error;
    }
    return result;
  }

  int remove_entry(int parent, const char* name, int depth) {
    if (unlink_at(parent, name)) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;
    if (depth >= kDepthMax) return move_up(parent, name);
    {
      const DirHandle directory = open_dir_at(parent, name);
      if (directory == nullptr) return errno == ENOENT ? 0 : errno;
      const int error = empty(directory.get(), depth);
      if (error != 0) return error;
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
  }

  int move_up(int parent, const char* name) {
    fchmodat(parent, name, 0700, 0);  // to move it, its ".." is written
    while (true) {
      const std::string up = fmt::format(".heddle-deep-{}", next_++);
      if (renameat2(parent, name, root_, up.c_str(), RENAME_NOREPLACE) == 0) break;
      if (errno != EEXIST) return errno;
    }
    ++moved_;
    return 0;
  }

  int root_ = -1;
  std::uint64_t next_ = 0;
  std::uint64_t moved_ = 0;
};

}  // namespace

Result<void> check_user_name(std::string_view user) {
  const bool plain = std::ranges::all_of(user, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
  if (!user.empty() && user.size() <= 255 && plain && user.front() != '-' && user.front() != '.') {
    return {};
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("user name '{}' cannot be used on this node: letters, digits, '.', '_' "
                          "and '-' are allowed, '-' and '.' not in front, 255 at most",
                          shortened(user)));
}

std::string public_cache_dir(std::string_view local) {
  return fmt::format("{}/filecache", local);
}
std::string user_dir(std::string_view local, std::string_view user) {
  return fmt::format("{}/usercache/{}", local, user);
}
std::string user_cache_dir(std::string_view local, std::string_view user) {
  return user_dir(local, user) + "/filecache";
}
std::string app_dir(std::string_view local, std::string_view user, const AppId& app) {
  return fmt::format("{}/appcache/{}", user_dir(local, user), to_string(app));
}
std::string app_cache_dir(std::string_view local, std::string_view user, const AppId& app) {
  return app_dir(local, user, app) + "/filecache";
}
std::string work_dir(std::string_view local, std::string_view user, const ContainerId& container) {
  return app_dir(local, user, container.attempt.app) + "/" + to_string(container);
}
std::string private_dir(std::string_view local, const ContainerId& container) {
  return private_app_dir(local, container.attempt.app) + "/" + to_string(container);
}
std::string private_app_dir(std::string_view local, const AppId& app) {
  return fmt::format("{}/nmPrivate/{}", local, to_string(app));
}
std::string log_dir(std::string_view log, const ContainerId& container) {
  return app_log_dir(log, container.attempt.app) + "/" + to_string(container);
}
std::string app_log_dir(std::string_view log, const AppId& app) {
  return fmt::format("{}/{}", log, to_string(app));
}

Result<void> make_dir(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return system_error("make directory", path, errno);
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return system_error("use directory", path, errno);
  struct stat info {};
  const bool right = fstat(descriptor, &info) == 0 && (info.st_mode & 07777) == mode;
  const int error = right || fchmod(descriptor, mode) == 0 ? 0 : errno;
  close(descriptor);
  if (error != 0) return system_error("set the mode of", path, error);
  return {};
}

Result<void> make_dirs(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string parent = path.substr(0, at);
    if (mkdir(parent.c_str(), 0755) == 0) {
      chmod(parent.c_str(), 0755);  // whatever our umask is
    } else if (errno != EEXIST) {
      return system_error("make directory", parent, errno);
    }
  }
  return make_dir(path, mode);
}

Result<void> write_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = path + ".tmp";
  unlink(temporary.c_str());
  const int descriptor =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor < 0) return system_error("create", temporary, errno);
  int error = fchmod(descriptor, mode) == 0 ? 0 : errno;
  while (error == 0 && !content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error = errno;
  }
  if (close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(temporary.c_str());
  return system_error("write", path, error);
}

Result<void> remove_tree(const std::string& path) {
  const int error = TreeRemover().remove(path.c_str());
  if (error != 0) return system_error("remove", path, error);
  return {};
}

std::string read_tail(const std::string& path, std::size_t bytes_max) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return {};
  std::string out;
  struct stat info {};
  if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode)) {
    const auto size = static_cast<std::size_t>(info.st_size);
    out.resize(std::min(size, bytes_max));
    const ssize_t got =
        pread(descriptor, out.data(), out.size(), static_cast<off_t>(size - out.size()));
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  close(descriptor);
  return out;
}

std::vector<std::string> list_dir(const std::string& path) {
  std::vector<std::string> names;
  const DirHandle directory(opendir(path.c_str()));
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace heddle::nm
