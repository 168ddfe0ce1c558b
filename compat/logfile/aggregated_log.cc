#include "compat/logfile/aggregated_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/logfile/tv.h"

namespace heddle::compat::logfile {
namespace {

constexpr std::size_t kReadBytes = 64_KiB;

Result<std::string> texts(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    auto encoded = encode_java_utf(part);
    if (!encoded) return encoded;
    out += *encoded;
  }
  return out;
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(
            ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

Result<void> AggregatedLogWriter::begin(const AggregatedLogOwner& owner) {
  using namespace std::string_view_literals;
  std::string acls;
  for (const auto& [type, list] : owner.acls) {
    const auto pair = texts({type, list});
    if (!pair) return fail(pair.error());
    acls += *pair;
  }
  const auto user = texts({owner.user});
  if (!user) return fail(user.error());
  RETURN_IF_ERROR(file_.write_record(*texts({"VERSION"}), "\0\0\0\1"sv));
  RETURN_IF_ERROR(file_.write_record(*texts({"APPLICATION_ACL"}), acls));
  return file_.write_record(*texts({"APPLICATION_OWNER"}), *user);
}

Result<std::vector<std::string>> AggregatedLogWriter::add_container(
    const ContainerId& container, std::vector<LogSource> sources) {
  std::sort(sources.begin(), sources.end(),
            [](const LogSource& a, const LogSource& b) { return a.name < b.name; });
  std::vector<std::string> left_out;
  RETURN_IF_ERROR(file_.begin_record(*texts({to_string(container)})));
  for (const LogSource& source : sources)
    RETURN_IF_ERROR(add_file(source, left_out));
  RETURN_IF_ERROR(file_.end_record());
  return left_out;
}

Result<void> AggregatedLogWriter::add_file(const LogSource& source,
                                           std::vector<std::string>& left_out) {
  const auto leave_out = [&](std::string_view why) {
    left_out.push_back(fmt::format("{}: {}", shortened(source.path, 300), why));
  };
  const OpenFile file(source.path);
  struct stat info {};
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &info) != 0) {
    leave_out(std::strerror(errno));
    return {};
  }
  if (!S_ISREG(info.st_mode)) {
    leave_out("not a regular file");
    return {};
  }
  auto left = static_cast<std::uint64_t>(info.st_size);
  const auto head = texts({source.name, std::to_string(left)});
  if (!head) {
    leave_out(head.error().message);
    return {};
  }
  RETURN_IF_ERROR(file_.write_value(*head));
  std::string buffer(kReadBytes, '\0');
  bool told = false;
  while (left > 0) {
    const std::size_t wanted = std::min<std::uint64_t>(left, buffer.size());
    ssize_t got = ::read(file.descriptor(), buffer.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {  // the length is written already, so the bytes have to come
      if (!std::exchange(told, true)) leave_out(got < 0 ? std::strerror(errno) : "became shorter");
      std::fill(buffer.begin(), buffer.end(), '\0');
      got = static_cast<ssize_t>(wanted);
    }
    RETURN_IF_ERROR(file_.write_value({buffer.data(), static_cast<std::size_t>(got)}));
    left -= static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<std::vector<LogEntry>> read_container_value(std::string_view value) {
  TvReader reader(value);
  std::vector<LogEntry> entries;
  while (!reader.rest().empty()) {
    auto name = reader.java_utf();
    if (!name) return fail(std::move(name).error());
    const auto length_text = reader.java_utf();
    if (!length_text) return fail(length_text.error());
    const auto length = parse_int(*length_text);
    if (!length) return fail(ErrorCode::kInvalidArgument, "a log's length is no number");
    const auto bytes = reader.bytes(*length);
    if (!bytes) return fail(bytes.error());
    entries.push_back({*std::move(name), std::string(*bytes)});
  }
  return entries;
}

}  // namespace heddle::compat::logfile
