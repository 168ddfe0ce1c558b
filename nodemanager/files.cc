#include "nodemanager/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/net/http.h"
#include "base/text.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

Failure io_error(std::string_view what, const std::string& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound
                         : error == EACCES                   ? ErrorCode::kPermissionDenied
                         : error == ENOSPC                   ? ErrorCode::kLimitExceeded
                                                             : ErrorCode::kInternal;
  if (code == ErrorCode::kNotFound) return fail(code, fmt::format("File {} does not exist", path));
  return fail(code, fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

bool is_web(std::string_view url) { return url.starts_with("http:") || url.starts_with("https:"); }

Result<std::string> local_path(const std::string& url) {
  std::string_view path = url;
  if (path.starts_with("file:")) path.remove_prefix(5);
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    path.remove_prefix(std::min(path.find('/'), path.size()));  // a host name, if any
  }
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("No FileSystem for scheme \"{}\" ({}): file, http and https are "
                            "supported",
                            shortened(url.substr(0, url.find(':'))), shortened(url)));
  }
  return std::string(path);
}

/// An open descriptor, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  /// False when what was written did not reach the file.
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<void> download(const std::string& url, const std::string& target) {
  Descriptor file(open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_error("create", target);
  int status = 0;
  bool written = true;
  net::HttpCall call;
  call.url = url;
  call.redirects_max = 5;
  call.on_head = [&](const net::HttpResponse& head) { status = head.status; };
  call.on_body = [&](std::string_view bytes) {
    written = status == 200 && write_all(file.get(), bytes);
    return written;
  };
  auto answer = net::http_call(call);
  if (status == 404) return fail(ErrorCode::kNotFound, fmt::format("File {} does not exist", url));
  if (!written && status == 200) return io_error("write", target);
  if (!answer) return fail(std::move(answer).error());
  if (answer->status != 200) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} answered {} {}", shortened(url), answer->status,
                            net::reason_phrase(answer->status)));
  }
  if (!file.close()) return io_error("write", target);
  return {};
}

}  // namespace

Result<SourceInfo> NodeFiles::stat(const std::string& url, const std::string&) {
  if (is_web(url)) return SourceInfo{};  // Hadoop sees no time there either: it counts as 0
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  struct ::stat info {};
  if (::stat(path->c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(ErrorCode::kNotFound, fmt::format("File {} does not exist", url));
    }
    return io_error("read", url);
  }
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is neither a file nor a folder", url));
  }
  return SourceInfo{S_ISDIR(info.st_mode), static_cast<std::uint64_t>(info.st_size),
                    info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000,
                    info.st_mode & 07777U};
}

Result<std::vector<std::string>> NodeFiles::list(const std::string& url, const std::string&) {
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  if (access(path->c_str(), R_OK | X_OK) != 0) return io_error("list", url);
  return list_dir(*path);
}

Result<void> NodeFiles::copy(const std::string& url, const std::string&,
                             const std::string& target) {
  if (is_web(url)) return download(url, target);
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  // Not blocking, in case a pipe took the place of the file that was looked at.
  const Descriptor from(open(path->c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (from.get() < 0) return io_error("read", url);
  Descriptor to(open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (to.get() < 0) return io_error("create", target);
  std::vector<char> buffer(kCopyBytes);
  while (true) {
    const ssize_t got = read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", url);
    if (got == 0) break;
    if (!write_all(to.get(), {buffer.data(), static_cast<std::size_t>(got)})) {
      return io_error("write", target);
    }
  }
  if (!to.close()) return io_error("write", target);
  return {};
}

Result<void> NodeFiles::make_dir(const std::string& url, std::uint32_t mode, const std::string&) {
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  struct ::stat info {};
  if (::stat(path->c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return make_dirs(*path, mode);
}

Result<void> NodeFiles::write(const std::string& url, std::uint32_t mode, const std::string&,
                              const std::function<Result<void>(const Sink&)>& produce) {
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  unlink(path->c_str());
  Descriptor file(
      open(path->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file.get() < 0) return io_error("create", url);
  if (fchmod(file.get(), mode) != 0) return io_error("set the mode of", url);
  RETURN_IF_ERROR(produce([&](std::string_view bytes) -> Result<void> {
    if (!write_all(file.get(), bytes)) return io_error("write", url);
    return {};
  }));
  if (!file.close()) return io_error("write", url);
  return {};
}

Result<void> NodeFiles::rename(const std::string& from, const std::string& to,
                               const std::string&) {
  auto source = local_path(from);
  if (!source) return fail(std::move(source).error());
  auto target = local_path(to);
  if (!target) return fail(std::move(target).error());
  if (::rename(source->c_str(), target->c_str()) != 0) return io_error("rename", from);
  return {};
}

Result<void> NodeFiles::remove(const std::string& url, const std::string&) {
  auto path = local_path(url);
  if (!path) return fail(std::move(path).error());
  return remove_tree(*path);
}

}  // namespace heddle::nm
