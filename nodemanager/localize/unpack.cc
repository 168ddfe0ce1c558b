#include "nodemanager/localize/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"
#include "nodemanager/localize/name_pattern.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kFileNameMax = 255;
constexpr std::size_t kPathMax = 4000;
constexpr std::size_t kReadBytes = 128_KiB;

/// An open descriptor, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }

 private:
  int value_;
};

Failure refused(std::string_view entry, std::string_view rule) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("archive refused: entry '{}': {}", shortened(entry, 200), rule));
}

Failure system_error(std::string_view entry, std::string_view what) {
  return fail(
      errno == ENOSPC ? ErrorCode::kLimitExceeded : ErrorCode::kInternal,
      fmt::format("entry '{}': cannot {}: {}", shortened(entry, 200), what, std::strerror(errno)));
}

using Parts = std::vector<std::string>;

/// The components of an entry's name; empty for the destination itself.
Result<Parts> parts_of(std::string_view name) {
  if (name.empty()) return refused(name, "the name must not be empty");
  if (name.front() == '/') return refused(name, "the name must not be absolute");
  if (name.size() > kPathMax) return refused(name, "the path must not exceed 4000 bytes");
  Parts parts;
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string_view part = name.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused(name, "the name must not contain '..'");
    if (part.size() > kFileNameMax) return refused(name, "a name must not exceed 255 bytes");
    if (std::ranges::any_of(part, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      return refused(name, "the name must not contain control characters");
    }
    parts.emplace_back(part);
  }
  return parts;
}

/// A target may climb at its start, no higher than the destination, and then only descend. As no
/// entry is written below a link, such a target cannot lead out, whatever links it crosses.
Result<void> check_link_target(std::string_view entry, std::size_t depth, std::string_view target) {
  if (target.empty() || target.front() == '/' || target.size() > kPathMax) {
    return refused(entry, "a symbolic link must not point to an absolute path");
  }
  std::size_t climbed = 0;
  bool descended = false;
  for (std::size_t start = 0; start <= target.size();) {
    const std::size_t end = std::min(target.find('/', start), target.size());
    const std::string_view part = target.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      descended = true;
    } else if (descended || ++climbed > depth) {
      return refused(entry, "a symbolic link must not point out of the archive");
    }
  }
  return {};
}

class Unpacker {
 public:
  explicit Unpacker(const UnpackRequest& request) : request_(request) {}

  Result<void> run() {
    if (!request_.pattern.empty()) {
      auto pattern = NamePattern::compile(request_.pattern);
      if (!pattern) return fail(std::move(pattern).error());
      pattern_ = *std::move(pattern);
    }
    const off_t size = lseek(request_.archive, 0, SEEK_END);
    lseek(request_.archive, 0, SEEK_SET);
    archive_bytes_ = size < 0 ? 0 : static_cast<std::uint64_t>(size);
    if (archive_bytes_ == 0) return {};  // Hadoop unpacks an empty file to nothing as well
    RETURN_IF_ERROR(open());
    while (true) {
      archive_entry* entry = nullptr;
      const int code = archive_read_next_header(archive_.get(), &entry);
      if (code == ARCHIVE_EOF) return {};
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return broken("the archive is damaged");
      if (++entries_ > request_.limits.entries_max) {
        return fail(ErrorCode::kLimitExceeded, fmt::format("archive refused: more than {} entries",
                                                           request_.limits.entries_max));
      }
      RETURN_IF_ERROR(take(entry));
    }
  }

 private:
  struct Closer {
    void operator()(archive* a) const { archive_read_free(a); }
  };

  Failure broken(std::string_view what) {
    const char* detail = archive_error_string(archive_.get());
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: {}", what, shortened(detail == nullptr ? "?" : detail)));
  }

  Result<void> open() {
    archive_.reset(archive_read_new());
    if (archive_ == nullptr) return fail(ErrorCode::kInternal, "out of memory");
    if (request_.kind == ArchiveKind::kZip) {
      archive_read_support_format_zip(archive_.get());
    } else {
      archive_read_support_format_tar(archive_.get());
      archive_read_support_format_gnutar(archive_.get());
      archive_read_support_filter_gzip(archive_.get());
    }
    if (archive_read_open_fd(archive_.get(), request_.archive, kReadBytes) != ARCHIVE_OK) {
      return broken("not an archive");
    }
    return {};
  }

  Result<void> take(archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    if (raw == nullptr) raw = archive_entry_pathname_utf8(entry);
    const std::string name = raw == nullptr ? "" : raw;
    auto parts = parts_of(name);
    if (!parts) return fail(std::move(parts).error());
    RETURN_IF_ERROR(check_kind(entry, name, *parts));
    if (pattern_ && !pattern_->matches_whole(name)) return {};
    const auto type = archive_entry_filetype(entry);
    if (parts->empty()) {
      return type == AE_IFDIR ? Result<void>() : refused(name, "only a folder can have this name");
    }
    if (type == AE_IFDIR) {
      auto made = open_folder(*parts, parts->size(), name);
      if (!made) return fail(std::move(made).error());
      return {};
    }
    auto folder = open_folder(*parts, parts->size() - 1, name);
    if (!folder) return fail(std::move(folder).error());
    const char* last = parts->back().c_str();
    RETURN_IF_ERROR(make_room(folder->get(), last, name));
    if (archive_entry_hardlink(entry) != nullptr) {
      return hard_link(folder->get(), last, archive_entry_hardlink(entry), name);
    }
    if (type == AE_IFLNK) {
      if (symlinkat(archive_entry_symlink(entry), folder->get(), last) != 0) {
        return system_error(name, "make the link");
      }
      return {};
    }
    return write_file(folder->get(), last, archive_entry_perm(entry), name);
  }

  Result<void> check_kind(archive_entry* entry, const std::string& name, const Parts& parts) {
    if (archive_entry_is_encrypted(entry) != 0)
      return refused(name, "encrypted entries are not supported");
    if (archive_entry_hardlink(entry) != nullptr) {
      auto target = parts_of(archive_entry_hardlink(entry));
      if (!target || target->empty()) {
        return refused(name, "a hard link must point to an entry of the archive");
      }
      return {};
    }
    const auto type = archive_entry_filetype(entry);
    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK) {
      return refused(name, "devices, pipes and sockets are not allowed");
    }
    if ((archive_entry_perm(entry) & (S_ISUID | S_ISGID)) != 0 && type != AE_IFLNK) {
      return refused(name, "setuid and setgid files are not allowed");
    }
    if (type == AE_IFLNK) {
      const char* target = archive_entry_symlink(entry);
      return check_link_target(name, parts.empty() ? 0 : parts.size() - 1,
                               target == nullptr ? "" : target);
    }
    return {};
  }

  /// Opens the folder made of the first `count` parts, making what is missing, following no link.
  Result<Descriptor> open_folder(const Parts& parts, std::size_t count, const std::string& name) {
    Descriptor folder(dup(request_.destination));
    for (std::size_t i = 0; i < count; ++i) {
      const char* part = parts[i].c_str();
      if (mkdirat(folder.get(), part, 0700) != 0 && errno != EEXIST) {
        return system_error(name, "make a folder");
      }
      Descriptor next(openat(folder.get(), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (next.get() < 0) {
        if (errno == ENOTDIR || errno == ELOOP) {
          return refused(name, "it lies below an entry that is not a folder");
        }
        return system_error(name, "open a folder");
      }
      folder = std::move(next);
    }
    return folder;
  }

  /// A later entry of the same name replaces the earlier one, as in Hadoop.
  Result<void> make_room(int folder, const char* last, const std::string& name) {
    if (unlinkat(folder, last, 0) == 0 || errno == ENOENT) return {};
    if (errno == EISDIR || errno == EPERM) return refused(name, "a folder has the same name");
    return system_error(name, "replace it");
  }

  Result<void> hard_link(int folder, const char* last, const char* target,
                         const std::string& name) {
    auto parts = parts_of(target);
    if (!parts) return fail(std::move(parts).error());
    auto from = open_folder(*parts, parts->size() - 1, name);
    if (!from) return fail(std::move(from).error());
    struct stat info {};
    if (fstatat(from->get(), parts->back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
      return refused(name, "a hard link must point to an earlier file of the archive");
    }
    if (linkat(from->get(), parts->back().c_str(), folder, last, 0) != 0) {
      return system_error(name, "make the link");
    }
    return {};
  }

  Result<void> write_file(int folder, const char* last, mode_t mode, const std::string& name) {
    const Descriptor file(
        openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_error(name, "create it");
    std::vector<char> buffer(kReadBytes);
    while (true) {
      const la_ssize_t got = archive_read_data(archive_.get(), buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) return broken(fmt::format("entry '{}' is damaged", shortened(name, 200)));
      RETURN_IF_ERROR(count_bytes(static_cast<std::uint64_t>(got), name));
      for (la_ssize_t done = 0; done < got;) {
        const ssize_t wrote =
            write(file.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
        if (wrote < 0) return system_error(name, "write it");
        done += wrote;
      }
    }
    if (fchmod(file.get(), mode & 0777) != 0) return system_error(name, "set its mode");
    return {};
  }

  Result<void> count_bytes(std::uint64_t more, const std::string& name) {
    bytes_ += more;
    const UnpackLimits& limits = request_.limits;
    if (bytes_ > limits.bytes_max) {
      return refused(name, fmt::format("unpacked, the archive exceeds {} bytes", limits.bytes_max));
    }
    if (bytes_ > limits.ratio_free_bytes && bytes_ / limits.ratio_max > archive_bytes_) {
      return refused(name, fmt::format("unpacked, it is more than {} times as large as the archive",
                                       limits.ratio_max));
    }
    return {};
  }

  const UnpackRequest& request_;
  std::optional<NamePattern> pattern_;
  std::unique_ptr<archive, Closer> archive_;
  std::uint64_t archive_bytes_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<void> unpack(const UnpackRequest& request) {
  return Unpacker(request).run();
}

}  // namespace heddle::nm
