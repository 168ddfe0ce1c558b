// Log files of containers. A file is found by comparing its name with those that the agent lists;
// no path is ever made from a request.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/rest/nm_web.h"
#include "compat/rest/pages.h"

namespace heddle::compat::rest {
namespace {

constexpr std::uint64_t kPageBytes = 4096;  // what the page of one file shows by itself

struct OpenFile {
  int descriptor = -1;
  std::uint64_t size = 0;
};

// Symbolic links are not followed: the folder belongs to the container's user.
Result<OpenFile> open_log(const nm::LogFile& file) {
  const int descriptor = ::open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  if (descriptor < 0 || ::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    if (descriptor >= 0) ::close(descriptor);
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("log file {} cannot be read", shortened(file.name)));
  }
  return OpenFile{descriptor, static_cast<std::uint64_t>(info.st_size)};
}

Result<nm::LogFile> find_log(const NmWeb& web, const ContainerId& container,
                             std::string_view name) {
  auto files = web.reports.log_files(container);
  if (!files) return fail(std::move(files).error());
  for (nm::LogFile& file : *files) {
    if (file.name == name) return std::move(file);
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("Cannot find this log on the local disk: {}", shortened(name)));
}

bool is_running(const NmWeb& web, const ContainerId& id) {
  for (const nm::ContainerStatus& container : web.reports.containers()) {
    if (container.id == id) {
      return container.state == nm::ContainerState::kRunning ||
             container.state == nm::ContainerState::kRelaunching ||
             container.state == nm::ContainerState::kKilling;
    }
  }
  return false;
}

net::HttpResponse text_head(const Exchange& exchange, int status) {
  const std::string* format = exchange.request.query_value("format");
  const bool binary = format != nullptr && *format == "octet-stream";
  return with_common_headers(
      exchange, status,
      binary ? "application/octet-stream;charset=utf-8" : "text/plain;charset=utf-8");
}

void send_text(const Exchange& exchange, int status, std::string text) {
  auto response = text_head(exchange, status);
  response.body = std::move(text);
  exchange.responder->respond(std::move(response));
}

void send_log_error(const Exchange& exchange, const Error& error) {
  const int status = error.code == ErrorCode::kWrongState ? 416 : refusal_for(error).status;
  send_text(exchange, status, error.message + "\n");
}

// The frame around the bytes that `yarn logs` prints as it comes.
std::string log_head(const NmWeb& web, const ContainerId& id, const nm::LogFile& file,
                     std::uint64_t size) {
  const std::string title =
      fmt::format("Container: {} on {}", to_string(id), to_string(web.reports.facts().id));
  return fmt::format(
      "{}\nLogAggregationType: LOCAL\n{}\nLogType:{}\nLogLastModifiedTime:{}\nLogLength:{}\n"
      "LogContents:\n",
      title, std::string(title.size(), '='), file.name, log_time(file.modified), size);
}

std::string log_tail(const NmWeb& web, const ContainerId& id, const nm::LogFile& file) {
  std::string end = fmt::format("End of LogType:{}.", file.name);
  if (is_running(web, id)) {
    end +=
        fmt::format("This log file belongs to a running container ({}) and so may not be complete.",
                    to_string(id));
  }
  return end + "\n" + std::string(71, '*') + "\n\n";
}

void get_file(const NmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_container_id(exchange->captures[0]);
  if (!id) {
    send_log_error(*exchange, id.error());
    return;
  }
  const std::string* format = exchange->request.query_value("format");
  if (format != nullptr && *format != "text" && *format != "octet-stream") {
    send_log_error(*exchange, {ErrorCode::kInvalidArgument,
                               fmt::format("The valid values for the parameter : format are text, "
                                           "octet-stream, not '{}'",
                                           shortened(*format))});
    return;
  }
  const auto file = find_log(web, *id, exchange->captures[1]);
  const auto open = file ? open_log(*file) : Result<OpenFile>(fail(file.error()));
  if (!open) {
    send_log_error(*exchange, open.error());
    return;
  }
  const auto range = log_range(exchange->request.query, open->size);
  if (!range) {
    ::close(open->descriptor);
    send_log_error(*exchange, range.error());
    return;
  }
  std::string head = log_head(web, *id, *file, open->size);
  std::string tail = log_tail(web, *id, *file);
  if (exchange->request.method == "HEAD") {
    ::close(open->descriptor);
    send_text(*exchange, 200, "");
    return;
  }
  net::HttpResponder& responder = *exchange->responder;
  responder.start(text_head(*exchange, 200), head.size() + range->length + tail.size());
  responder.write(std::move(head));
  responder.send_file(open->descriptor, range->offset, range->length);
  responder.write(std::move(tail));
  responder.finish();
}

void get_list(const NmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_container_id(exchange->captures[0]);
  const auto files =
      id ? web.reports.log_files(*id) : Result<std::vector<nm::LogFile>>(fail(id.error()));
  if (!files) {
    send_error(*exchange, files.error());
    return;
  }
  Writer out(exchange->format);
  out.begin_root("containerLogsInfoes", false);
  out.begin_object("containerLogsInfo");
  out.begin_list("containerLogInfo");
  for (const nm::LogFile& file : *files) {
    out.begin_object("");
    out.text("fileName", file.name);
    out.number_as_text("fileSize", static_cast<std::int64_t>(file.size));
    out.text("lastModifiedTime", log_time(file.modified));
    out.end_object();
  }
  out.end_list();
  out.text("logAggregationType", "LOCAL");
  out.text("containerId", to_string(*id));
  out.text("nodeId", to_string(web.reports.facts().id));
  out.end_object();
  out.end_root();
  send(*exchange, 200, out);
}

// What is gone from here may be with the log server: Spark's history links to the files of
// executors on their nodes for ever. `file` may be empty: all of the container.
bool redirect_to_log_server(const NmWeb& web, const ExchangePtr& exchange, const ContainerId& id,
                            std::string_view user, std::string_view file) {
  if (web.options.log_server_url.empty()) return false;
  std::string place =
      fmt::format("{}/{}/{}/{}/{}", web.options.log_server_url, to_string(web.reports.facts().id),
                  to_string(id), to_string(id), percent_encode(user));
  if (!file.empty()) place += "/" + percent_encode(file);
  char sign = '?';
  for (const auto& [name, value] : exchange->request.query) {
    if (name != "start" && name != "end") continue;
    place += fmt::format("{}{}={}", std::exchange(sign, '&'), name, percent_encode(value));
  }
  send_redirect(*exchange, 307, std::move(place));
  return true;
}

void list_page(const NmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_container_id(exchange->captures[0]);
  const std::string& user = exchange->captures[1];
  const auto files =
      id ? web.reports.log_files(*id) : Result<std::vector<nm::LogFile>>(fail(id.error()));
  if (!files) {
    if (files.error().code == ErrorCode::kNotFound &&
        redirect_to_log_server(web, exchange, *id, user, "")) {
      return;
    }
    send_page_error(*exchange, refusal_for(files.error()).status, "Container logs",
                    files.error().message);
    return;
  }
  Page page(PageKind::kNode, "Logs of " + to_string(*id), web.options);
  page.begin_table({"File", "Bytes", "Changed"});
  for (const nm::LogFile& file : *files) {
    page.row({link(fmt::format("/node/containerlogs/{}/{}/{}", to_string(*id), percent_encode(user),
                               percent_encode(file.name)),
                   file.name),
              cell(static_cast<std::int64_t>(file.size)), cell_time(file.modified)});
  }
  page.end_table("no log files yet");
  send_html(*exchange, 200, page.finish());
}

Result<std::string> read_range(const OpenFile& open, LogRange range) {
  std::string bytes(static_cast<std::size_t>(range.length), '\0');
  const ssize_t got =
      ::pread(open.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(range.offset));
  if (got < 0) return fail(ErrorCode::kInternal, "the log file cannot be read");
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

void file_page(const NmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_container_id(exchange->captures[0]);
  const std::string& name = exchange->captures[2];
  const auto file = id ? find_log(web, *id, name) : Result<nm::LogFile>(fail(id.error()));
  const auto open = file ? open_log(*file) : Result<OpenFile>(fail(file.error()));
  if (id && !open && open.error().code == ErrorCode::kNotFound &&
      redirect_to_log_server(web, exchange, *id, exchange->captures[1], name)) {
    return;
  }
  if (!open) {
    send_page_error(*exchange, refusal_for(open.error()).status, "Container log",
                    open.error().message);
    return;
  }
  net::HttpQuery query = exchange->request.query;
  bool asked = false;
  for (const auto& [key, value] : query)
    asked = asked || key == "start" || key == "end";
  if (!asked) query.emplace_back("start", fmt::format("-{}", kPageBytes));
  auto range = log_range(query, open->size);
  // A page is a page: the raw file is the place for more.
  if (range) range->length = std::min<std::uint64_t>(range->length, 1_MiB);
  const auto bytes = range ? read_range(*open, *range) : Result<std::string>(fail(range.error()));
  ::close(open->descriptor);
  if (!bytes) {
    send_page_error(*exchange, bytes.error().code == ErrorCode::kWrongState ? 416 : 400,
                    "Container log", bytes.error().message);
    return;
  }
  Page page(PageKind::kNode, name, web.options);
  const std::string self = fmt::format("/node/containerlogs/{}/{}/{}", to_string(*id),
                                       percent_encode(exchange->captures[1]), percent_encode(name));
  page.paragraph(fmt::format(
      "Bytes {} to {} of {}. {} {}", range->offset, range->offset + range->length, open->size,
      link(self + "?start=0", "From the start").html,
      link(fmt::format("/ws/v1/node/containers/{}/logs/{}", to_string(*id), percent_encode(name)),
           "Raw")
          .html));
  page.preformatted(*bytes);
  send_html(*exchange, 200, page.finish());
}

}  // namespace

std::string log_time(WallTime time) {
  using namespace std::chrono;
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_time<milliseconds> at{milliseconds(time.ms)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(at - day)};
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} +0000 {}", kDays[weekday(day).c_encoding()],
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(),
                     static_cast<int>(date.year()));
}

Result<LogRange> log_range(const net::HttpQuery& query, std::uint64_t file_size) {
  std::optional<std::int64_t> size, start, end;
  for (const auto& [key, text] : query) {
    auto* wanted = key == "size" ? &size : key == "start" ? &start : key == "end" ? &end : nullptr;
    if (wanted == nullptr) continue;
    *wanted = parse_int(text);
    if (!*wanted) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: '{}' is not a number of bytes", key, shortened(text)));
    }
  }
  const auto whole = static_cast<std::int64_t>(file_size);
  if (size) {
    const std::int64_t part =
        *size < 0 ? (*size <= -whole ? whole : -*size) : std::min(*size, whole);
    return LogRange{static_cast<std::uint64_t>(*size < 0 ? whole - part : 0),
                    static_cast<std::uint64_t>(part)};
  }
  // Negative bounds count from the end; before the beginning means the beginning.
  const auto place = [&](std::int64_t value) {
    return value >= 0 ? value : value <= -whole ? 0 : whole + value;
  };
  const std::int64_t from = place(start.value_or(0));
  const std::int64_t to = std::min(end ? place(*end) : whole, whole);
  if (from > whole || from > to) {
    return fail(ErrorCode::kWrongState,
                fmt::format("bytes {} to {} are not in a file of {} bytes", from, to, whole));
  }
  return LogRange{static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to - from)};
}

void add_log_routes(Router& router, const NmWeb& web) {
  const auto get = [&](const std::string& path, auto handler) {
    router.add("GET", path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  get("/ws/v1/node/containers/{}/logs", get_list);
  get("/ws/v1/node/containers/{}/logs/{}", get_file);
  get("/ws/v1/node/containerlogs/{}/{}", get_file);
  get("/node/containerlogs/{}/{}", list_page);
  get("/node/containerlogs/{}/{}/{}", file_page);
}

}  // namespace heddle::compat::rest
