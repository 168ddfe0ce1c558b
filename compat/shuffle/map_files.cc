#include "compat/shuffle/map_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/bytes.h"

namespace heddle::compat::shuffle {
namespace {

constexpr const char* kDataName = "file.out";
constexpr const char* kIndexName = "file.out.index";
constexpr std::uint64_t kIndexBytesMax = 48_MiB;  // two million reducers

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(-1); }
  void reset(int number) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

Failure cannot_open(const MapFolder& folder, const char* name, std::string_view why) {
  return fail(ErrorCode::kNotFound, fmt::format("{}/{}: {}", folder.relative_path(), name, why));
}

std::optional<MapFile> find_in(const std::vector<std::string>& local_dirs, const MapFolder& folder,
                               const char* name, std::string* found_in) {
  for (const std::string& dir : local_dirs) {
    auto file = open_map_file(dir, folder, name);
    if (!file) continue;
    if (found_in != nullptr) *found_in = dir;
    return *std::move(file);
  }
  return std::nullopt;
}

Failure not_found(const MapFolder& folder, const char* name) {
  return fail(ErrorCode::kNotFound, fmt::format("Could not find {}/{} in any of the directories",
                                                folder.relative_path(), name));
}

}  // namespace

MapFile::MapFile(MapFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), length_(other.length_) {}
MapFile::~MapFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
int MapFile::release() {
  return std::exchange(descriptor_, -1);
}

Result<std::string> MapFile::read(std::uint64_t offset, std::size_t count) const {
  std::string out(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got =
        ::pread(descriptor_, out.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return fail(ErrorCode::kInternal, got < 0 ? std::strerror(errno) : "the file became shorter");
    }
    have += static_cast<std::size_t>(got);
  }
  return out;
}

std::string MapFolder::relative_path() const {
  return fmt::format("usercache/{}/appcache/{}/output/{}", user, app, attempt);
}

Result<MapFile> open_map_file(const std::string& local_dir, const MapFolder& folder,
                              const char* name) {
  constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  Descriptor at(::open(local_dir.c_str(), kFolderFlags));  // the administrator may use links here
  for (const char* part : {"usercache", folder.user.c_str(), "appcache", folder.app.c_str(),
                           "output", folder.attempt.c_str()}) {
    if (at.get() < 0) return cannot_open(folder, name, std::strerror(errno));
    at.reset(::openat(at.get(), part, kFolderFlags | O_NOFOLLOW));
  }
  struct stat folder_info {};
  if (at.get() < 0 || ::fstat(at.get(), &folder_info) != 0) {
    return cannot_open(folder, name, std::strerror(errno));
  }
  // Not blocking: a pipe of that name must not hold up the loop.
  Descriptor file(
      ::openat(at.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
    return cannot_open(folder, name, std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) return cannot_open(folder, name, "not a regular file");
  if (info.st_uid != folder_info.st_uid) {
    return cannot_open(folder, name, "not owned by the owner of its folder");
  }
  return MapFile(file.release(), static_cast<std::uint64_t>(info.st_size));
}

Result<MapIndex> load_map_index(const std::vector<std::string>& local_dirs,
                                const MapFolder& folder) {
  const auto index_file = find_in(local_dirs, folder, kIndexName, nullptr);
  if (!index_file) return not_found(folder, kIndexName);
  if (index_file->length() > kIndexBytesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}/{} has {} bytes, the limit is {}", folder.relative_path(),
                            kIndexName, index_file->length(), kIndexBytesMax));
  }
  const auto bytes = index_file->read(0, index_file->length());
  if (!bytes) return fail(bytes.error());
  auto segments = parse_index_file(*bytes);
  if (!segments) return fail(std::move(segments).error().within(folder.relative_path()));

  MapIndex index{.segments = *std::move(segments), .data_dir = {}};
  const auto data = find_in(local_dirs, folder, kDataName, &index.data_dir);
  if (!data) return not_found(folder, kDataName);
  for (const SegmentPlace& place : index.segments) {
    if (static_cast<std::uint64_t>(place.start + place.part_length) > data->length()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: a segment ends behind the end of {}", folder.relative_path(),
                              kDataName));
    }
  }
  return index;
}

}  // namespace heddle::compat::shuffle
