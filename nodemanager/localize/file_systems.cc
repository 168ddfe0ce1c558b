#include "nodemanager/localize/file_systems.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/net/http.h"
#include "base/text.h"
#include "nodemanager/localize/abandon.h"

namespace heddle::nm {
namespace {

constexpr int kRedirectsMax = 5;
constexpr std::size_t kErrorTextMax = 64_KiB;  // read for nothing but to keep the connection

Result<void> read_web(const std::string& url, const RemoteFs::Sink& sink) {
  int status = 0;
  std::size_t error_bytes = 0;
  Result<void> taken;
  net::HttpCall call;
  call.url = url;
  call.redirects_max = kRedirectsMax;
  call.refuse_link_local = true;
  call.go_on = [] { return !AbandonScope::given_up(); };
  call.on_head = [&](const net::HttpResponse& head) { status = head.status; };
  call.on_body = [&](std::string_view bytes) {
    if (status != 200) return (error_bytes += bytes.size()) < kErrorTextMax;
    taken = sink(bytes);
    return taken.has_value();
  };
  auto answer = net::http_call(call);
  if (!taken) return taken;
  if (status == 404) {
    return fail(ErrorCode::kNotFound, fmt::format("File {} does not exist", url));
  }
  if (status >= 400) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} answered {} {}", shortened(url, 300),
                                                     status, net::reason_phrase(status)));
  }
  if (!answer) return fail(std::move(answer).error());
  if (answer->status != 200) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} answered {} {}, not a file", shortened(url, 300), answer->status,
                            net::reason_phrase(answer->status)));
  }
  return {};
}

}  // namespace

std::string own_user_name() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16_KiB> buffer{};
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::to_string(geteuid()) : std::string(found->pw_name);
}

FileSystems::FileSystems(WebHdfsOptions options)
    : own_user_(own_user_name()), hdfs_(std::move(options)) {}

Result<FileSystems::Place> FileSystems::place(const std::string& url, const std::string& user) {
  auto parsed = parse_fs_url(url);
  if (!parsed) return fail(std::move(parsed).error());
  if (parsed->scheme == "file") return Place{&local_, own_user_};
  if (parsed->scheme == "hdfs" || parsed->scheme == "webhdfs") return Place{&hdfs_, user};
  return fail(ErrorCode::kUnsupported,
              fmt::format("No FileSystem for scheme \"{}\" ({}): file, hdfs, webhdfs, http and "
                          "https are supported",
                          shortened(parsed->scheme), shortened(url, 300)));
}

Result<FileStatus> FileSystems::stat(const std::string& url, const std::string& user) {
  if (is_web(url)) {
    FileStatus status;  // Hadoop sees neither time nor size there: they count as 0
    status.permission = 0644;
    return status;
  }
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->stat(url, at->user);
}

Result<void> FileSystems::read(const std::string& url, const std::string& user, const Sink& sink) {
  if (is_web(url)) return read_web(url, sink);
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->read(url, at->user, sink);
}

Result<std::vector<FileStatus>> FileSystems::list(const std::string& url, const std::string& user) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->list(url, at->user);
}

Result<void> FileSystems::write(const std::string& url, std::uint32_t permission,
                                const std::string& user, const Producer& produce) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->write(url, permission, at->user, produce);
}

Result<void> FileSystems::upload(const std::string& local_path, const std::string& url,
                                 std::uint32_t permission, const std::string& user) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->upload(local_path, url, permission, at->user);
}

Result<void> FileSystems::make_dirs(const std::string& url, std::uint32_t permission,
                                    const std::string& user) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->make_dirs(url, permission, at->user);
}

Result<void> FileSystems::rename(const std::string& from, const std::string& to,
                                 const std::string& user) {
  auto at = place(from, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->rename(from, to, at->user);
}

Result<void> FileSystems::remove(const std::string& url, const std::string& user, bool recursive) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->remove(url, at->user, recursive);
}

Result<void> FileSystems::set_permission(const std::string& url, std::uint32_t permission,
                                         const std::string& user) {
  auto at = place(url, user);
  if (!at) return fail(std::move(at).error());
  return at->fs->set_permission(url, permission, at->user);
}

}  // namespace heddle::nm
