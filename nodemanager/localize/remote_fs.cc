#include "nodemanager/localize/remote_fs.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "nodemanager/localize/abandon.h"
#include "nodemanager/localize/file_io.h"

namespace heddle::nm {

bool is_web(std::string_view url) {
  const std::string start = to_lower(url.substr(0, 6));
  return start.starts_with("http:") || start == "https:";
}

Result<FsUrl> parse_fs_url(std::string_view url) {
  FsUrl parsed;
  std::string_view rest = url;
  const auto colon = rest.find(':');
  if (colon != std::string_view::npos && rest.find('/') > colon) {
    parsed.scheme = to_lower(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
    if (rest.starts_with("//")) {
      rest.remove_prefix(2);
      const auto slash = rest.find('/');
      parsed.authority = std::string(rest.substr(0, slash));
      rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    }
  } else {
    parsed.scheme = "file";
  }
  if (rest.empty() || rest.front() != '/' || rest.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is not scheme://host:port/path", shortened(url, 300)));
  }
  if (parsed.authority.find_first_of("?#@\\ \t\r\n") != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' has a bad host", shortened(url, 300)));
  }
  parsed.path = std::string(rest);
  return parsed;
}

Result<void> download(RemoteFs& fs, const std::string& url, const std::string& user,
                      const std::string& local_path) {
  auto result = [&]() -> Result<void> {
    const FileDescriptor file(
        ::open(local_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return errno_failure(local_path, errno);
    auto read = fs.read(url, user, [&](std::string_view bytes) -> Result<void> {
      if (AbandonScope::given_up()) {
        return fail(ErrorCode::kUnavailable, fmt::format("{}: not wanted any more", url));
      }
      return write_all(file.get(), local_path, bytes);
    });
    if (!read) ::unlink(local_path.c_str());
    return read;
  };
  return result();
}

}  // namespace heddle::nm
