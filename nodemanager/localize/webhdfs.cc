#include "nodemanager/localize/webhdfs.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/bytes.h"
#include "base/net/http.h"
#include "base/text.h"
#include "nodemanager/localize/abandon.h"
#include "nodemanager/localize/file_io.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kErrorBodyMax = 64_KiB;

std::string encode_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const std::string_view part = path.substr(0, end);
    out += part.front() == '/' ? "/" + percent_encode(part.substr(1)) : percent_encode(part);
    path.remove_prefix(part.size());
  }
  return out;
}

Error at(std::string_view url, Error error) {
  return std::move(error).within(shortened(url, 300));
}

/// A file without a name, so that no way to end leaves it behind.
class SpoolFile {
 public:
  explicit SpoolFile(const std::string& dir)
      : path_(dir + "/upload-XXXXXX"), file_(::mkostemp(path_.data(), O_CLOEXEC)) {
    if (file_.get() < 0) return;
    ::unlink(path_.c_str());
    path_ = fmt::format("/proc/self/fd/{}", file_.get());
  }
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  int descriptor() const { return file_.get(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  FileDescriptor file_;
};

}  // namespace

Result<std::vector<std::string>> WebHdfs::web_addresses_of(const FsUrl& url) const {
  if (url.scheme != "hdfs" && url.scheme != "webhdfs") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("scheme '{}' is not hdfs or webhdfs", shortened(url.scheme)));
  }
  const std::string& authority = url.authority.empty() ? options_.default_authority : url.authority;
  if (authority.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "no NameNode: the URL has no host and fs.defaultFS is not hdfs");
  }
  const auto found = options_.web_addresses.find(authority);
  // A port says which: that of hdfs is never the web's. A name service is the same for both.
  const bool is_web = url.scheme == "webhdfs" && authority.find(':') != std::string::npos;
  if (found != options_.web_addresses.end() && !is_web) return found->second;
  if (url.scheme == "webhdfs") return std::vector<std::string>{authority};
  const std::string host = authority.substr(0, authority.rfind(':'));
  return std::vector<std::string>{fmt::format("{}:{}", host, options_.default_web_port)};
}

Result<WebHdfs::Answer> WebHdfs::ask(const char* method, const std::string& url,
                                     const std::string& user, const std::string& operation) {
  const auto parsed = parse_fs_url(url);
  if (!parsed) return fail(parsed.error());
  const auto addresses = web_addresses_of(*parsed);
  if (!addresses) return fail(at(url, addresses.error()));
  Error last{ErrorCode::kUnavailable, "no NameNode is configured"};
  for (const std::string& address : *addresses) {
    net::HttpCall call;
    call.method = method;
    call.url = fmt::format("http://{}/webhdfs/v1{}?{}&user.name={}", address,
                           encode_path(parsed->path), operation, percent_encode(user));
    call.body_max = options_.answer_max;
    call.refuse_link_local = true;
    call.go_on = [] { return !AbandonScope::given_up(); };
    auto answer = net::http_call(call);
    if (answer && answer->status < 400) {
      return Answer{answer->status, std::move(answer->body),
                    std::string(answer->headers.get("Location"))};
    }
    last =
        answer ? parse_remote_exception(answer->status, answer->body) : std::move(answer).error();
    if (last.code != ErrorCode::kUnavailable) break;  // else: a standby, or not up
  }
  return fail(at(url, std::move(last)));
}

Result<bool> WebHdfs::ask_boolean(const char* method, const std::string& url,
                                  const std::string& user, const std::string& operation) {
  const auto answer = ask(method, url, user, operation);
  if (!answer) return fail(answer.error());
  return parse_boolean(answer->body);
}

Result<FileStatus> WebHdfs::stat(const std::string& url, const std::string& user) {
  const auto answer = ask("GET", url, user, "op=GETFILESTATUS");
  if (!answer) return fail(answer.error());
  return parse_file_status(answer->body);
}

Result<std::vector<FileStatus>> WebHdfs::list(const std::string& url, const std::string& user) {
  const auto answer = ask("GET", url, user, "op=LISTSTATUS");
  if (!answer) return fail(answer.error());
  return parse_file_statuses(answer->body);
}

Result<void> WebHdfs::read(const std::string& url, const std::string& user, const Sink& sink) {
  const auto where = ask("GET", url, user, "op=OPEN");
  if (!where) return fail(where.error());
  if (where->status != 307) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: the NameNode answered OPEN with status {}, not with a DataNode",
                            shortened(url, 300), where->status));
  }
  net::HttpCall call;
  call.url = where->location;
  call.refuse_link_local = true;
  call.go_on = [] { return !AbandonScope::given_up(); };
  int status = 0;
  std::string error_body;
  std::optional<Error> sink_error;
  call.on_head = [&](const net::HttpResponse& head) { status = head.status; };
  call.on_body = [&](std::string_view bytes) {
    if (status != 200) {
      error_body += bytes.substr(0, kErrorBodyMax - error_body.size());
      return error_body.size() < kErrorBodyMax;
    }
    auto taken = sink(bytes);
    if (!taken) sink_error = std::move(taken).error();
    return !sink_error.has_value();
  };
  const auto answer = net::http_call(call);
  if (sink_error) return fail(*std::move(sink_error));
  if (status >= 400) return fail(at(url, parse_remote_exception(status, error_body)));
  if (!answer) return fail(at(url, answer.error()));
  if (status != 200) return fail(at(url, parse_remote_exception(status, error_body)));
  return {};
}

Result<void> WebHdfs::upload(const std::string& local_path, const std::string& url,
                             std::uint32_t permission, const std::string& user) {
  const auto where =
      ask("PUT", url, user,
          fmt::format("op=CREATE&overwrite=true&createparent=false&permission={:o}", permission));
  if (!where) return fail(where.error());
  if (where->status != 307) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: the NameNode answered CREATE with status {}, not with a DataNode",
                            shortened(url, 300), where->status));
  }
  net::HttpCall call;
  call.method = "PUT";
  call.url = where->location;
  call.refuse_link_local = true;
  call.go_on = [] { return !AbandonScope::given_up(); };
  call.upload_file = local_path;
  call.headers.add("Content-Type", "application/octet-stream");
  call.body_max = kErrorBodyMax;
  const auto answer = net::http_call(call);
  if (!answer) return fail(at(url, answer.error()));
  if (answer->status != 201) {
    return fail(at(url, parse_remote_exception(answer->status, answer->body)));
  }
  return {};
}

Result<void> WebHdfs::write(const std::string& url, std::uint32_t permission,
                            const std::string& user, const Producer& produce) {
  // The length has to be known before, and a producer that fails must leave no half file behind.
  const SpoolFile spool(options_.spool_dir);
  if (spool.descriptor() < 0) return errno_failure(spool.path(), errno);
  RETURN_IF_ERROR(produce(
      [&](std::string_view bytes) { return write_all(spool.descriptor(), spool.path(), bytes); }));
  return upload(spool.path(), url, permission, user);
}

Result<void> WebHdfs::make_dirs(const std::string& url, std::uint32_t permission,
                                const std::string& user) {
  const auto made =
      ask_boolean("PUT", url, user, fmt::format("op=MKDIRS&permission={:o}", permission));
  if (!made) return fail(made.error());
  if (*made) return {};
  return fail(ErrorCode::kWrongState,
              fmt::format("{}: the directory was not made", shortened(url, 300)));
}

Result<void> WebHdfs::rename(const std::string& from, const std::string& to,
                             const std::string& user) {
  const auto target = parse_fs_url(to);
  if (!target) return fail(target.error());
  const auto renamed =
      ask_boolean("PUT", from, user, "op=RENAME&destination=" + percent_encode(target->path));
  if (!renamed) return fail(renamed.error());
  if (*renamed) return {};
  return fail(ErrorCode::kWrongState,
              fmt::format("{} was not renamed to {}: it is missing, or the target exists or has no "
                          "directory",
                          shortened(from, 300), shortened(to, 300)));
}

Result<void> WebHdfs::remove(const std::string& url, const std::string& user, bool recursive) {
  const auto removed =
      ask_boolean("DELETE", url, user, recursive ? "op=DELETE&recursive=true" : "op=DELETE");
  if (!removed) return fail(removed.error());
  if (*removed) return {};
  return fail(ErrorCode::kNotFound, fmt::format("{}: nothing to remove", shortened(url, 300)));
}

Result<void> WebHdfs::set_permission(const std::string& url, std::uint32_t permission,
                                     const std::string& user) {
  const auto answer =
      ask("PUT", url, user, fmt::format("op=SETPERMISSION&permission={:o}", permission));
  if (!answer) return fail(answer.error());
  return {};
}

}  // namespace heddle::nm
