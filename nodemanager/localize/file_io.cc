#include "nodemanager/localize/file_io.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::nm {

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

Failure errno_failure(std::string_view what, int number) {
  const auto code = [&] {
    switch (number) {
      case ENOENT:
      case ENOTDIR: return ErrorCode::kNotFound;
      case EACCES:
      case EPERM:
      case EROFS: return ErrorCode::kPermissionDenied;
      case EEXIST:
      case ENOTEMPTY: return ErrorCode::kAlreadyExists;
      case ENOSPC:
      case EDQUOT:
      case EFBIG: return ErrorCode::kLimitExceeded;
      case EINVAL:
      case ENAMETOOLONG:
      case ELOOP:
      case EISDIR: return ErrorCode::kInvalidArgument;
      default: return ErrorCode::kInternal;
    }
  }();
  return fail(code,
              fmt::format("{}: {}", shortened(what, 300), std::system_category().message(number)));
}

Result<FileDescriptor> open_regular_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return errno_failure(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is not a regular file", shortened(path, 300)));
  }
  return file;
}

Result<void> read_pieces(int descriptor, std::string_view what, const RemoteFs::Sink& sink) {
  std::string buffer(128_KiB, '\0');
  while (true) {
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_failure(what, errno);
    if (got == 0) return {};
    RETURN_IF_ERROR(sink({buffer.data(), static_cast<std::size_t>(got)}));
  }
}

Result<void> write_all(int descriptor, std::string_view what, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_failure(what, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace heddle::nm
