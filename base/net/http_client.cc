#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/net/http.h"
#include "base/text.h"

namespace heddle::net {
namespace {

/// libcurl, loaded by the first call: with the thirty libraries behind it, it would be a third of a
/// daemon's start and of its idle memory, and most daemons never call anybody over HTTP.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  std::string problem;  // why it cannot be used; empty when it can
};

template <class Function>
void find_in(void* library, const char* name, Function& function, std::string& problem) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) problem = fmt::format("it has no {}", name);
}

Curl load_curl() {
  Curl curl;
  void* library = ::dlopen(HEDDLE_LIBCURL, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    curl.problem = why == nullptr ? "?" : why;
    return curl;
  }
  find_in(library, "curl_global_init", curl.global_init, curl.problem);
  find_in(library, "curl_easy_init", curl.easy_init, curl.problem);
  find_in(library, "curl_easy_setopt", curl.easy_setopt, curl.problem);
  find_in(library, "curl_easy_perform", curl.easy_perform, curl.problem);
  find_in(library, "curl_easy_reset", curl.easy_reset, curl.problem);
  find_in(library, "curl_easy_cleanup", curl.easy_cleanup, curl.problem);
  find_in(library, "curl_easy_strerror", curl.easy_strerror, curl.problem);
  find_in(library, "curl_slist_append", curl.slist_append, curl.problem);
  find_in(library, "curl_slist_free_all", curl.slist_free_all, curl.problem);
  if (curl.problem.empty() && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    curl.problem = "it cannot be initialised";
  }
  return curl;
}

const Curl& curl() {
  static const Curl* const loaded = new Curl(load_curl());  // threads may outlive static objects
  return *loaded;
}

struct EasyDelete {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
struct FileDelete {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Easy = std::unique_ptr<CURL, EasyDelete>;
using List = std::unique_ptr<curl_slist, ListDelete>;
using File = std::unique_ptr<std::FILE, FileDelete>;

/// What one call has seen so far; the callbacks below fill it.
struct Progress {
  const HttpCall& call;
  HttpResponse response;
  std::uint64_t body_bytes = 0;
  std::size_t head_bytes = 0;
  bool head_told = false;
  bool too_long = false;
  bool stopped = false;
  bool link_local = false;  // was where the call led

  void tell_head() {
    if (head_told) return;
    head_told = true;
    if (call.on_head) call.on_head(response);
  }
};

constexpr std::size_t kHeadMax = 1_MiB;  // of a response; more is a broken or hostile server

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& progress = *static_cast<Progress*>(context);
  progress.head_bytes += size;
  if (progress.head_bytes > kHeadMax) return 0;
  const std::string_view line = trim({data, size});
  if (line.starts_with("HTTP/")) {  // a new head: after 100 Continue or a redirect
    progress.response = {};
    const auto blank = line.find(' ');
    if (blank != std::string_view::npos) {
      progress.response.status = static_cast<int>(parse_int(line.substr(blank + 1, 3)).value_or(0));
    }
    return size;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    progress.response.headers.add(std::string(trim(line.substr(0, colon))),
                                  std::string(trim(line.substr(colon + 1))));
  }
  return size;
}

std::size_t on_write(char* data, std::size_t, std::size_t size, void* context) {
  auto& progress = *static_cast<Progress*>(context);
  progress.body_bytes += size;
  if (progress.body_bytes > progress.call.body_max) {
    progress.too_long = true;
    return 0;
  }
  if (!progress.call.on_body) {
    progress.response.body.append(data, size);
    return size;
  }
  progress.tell_head();
  if (progress.call.on_body({data, size})) return size;
  progress.stopped = true;
  return 0;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& progress = *static_cast<Progress*>(context);
  if (progress.call.go_on()) return 0;
  progress.stopped = true;
  return 1;
}

bool is_link_local(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 16) == 0xA9FE;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 169 && v6.s6_addr[13] == 254;
  return IN6_IS_ADDR_LINKLOCAL(&v6);
}

curl_socket_t on_open_socket(void* context, curlsocktype, curl_sockaddr* target) {
  auto& progress = *static_cast<Progress*>(context);
  if (progress.call.refuse_link_local && is_link_local(target->addr)) {
    progress.link_local = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

/// One handle a thread, so that calls in a row to one server share a connection.
Result<CURL*> thread_handle() {
  if (!curl().problem.empty()) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot use {}: {}", HEDDLE_LIBCURL, curl().problem));
  }
  thread_local Easy easy(curl().easy_init());
  if (!easy) return fail(ErrorCode::kInternal, "libcurl gives no handle: out of memory");
  curl().easy_reset(easy.get());
  return easy.get();
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  curl().easy_setopt(easy, option, value);
}

long to_ms(Duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void set_common(CURL* easy, const HttpCall& call, Progress& progress, char* error_text) {
  set(easy, CURLOPT_ERRORBUFFER, error_text);
  set(easy, CURLOPT_URL, call.url.c_str());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_PROXY, "");  // also keeps the proxies of the environment away
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, to_ms(call.connect_timeout)));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, (to_ms(call.idle_timeout) + 999) / 1000));
  set(easy, CURLOPT_FOLLOWLOCATION, call.redirects_max > 0 ? 1L : 0L);
  set(easy, CURLOPT_MAXREDIRS, static_cast<long>(call.redirects_max));
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, &progress);
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, &progress);
  set(easy, CURLOPT_WRITEFUNCTION, &on_write);
  set(easy, CURLOPT_WRITEDATA, &progress);
  if (!call.go_on) return;
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(easy, CURLOPT_XFERINFODATA, &progress);
}

/// Opens the file to send and tells curl about it; an empty pointer when there is none.
Result<File> set_body(CURL* easy, const HttpCall& call) {
  File file;
  if (!call.upload_file.empty()) {
    errno = 0;
    file.reset(std::fopen(call.upload_file.c_str(), "rbe"));
    struct stat info {};
    if (!file || fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode)) {
      return fail(ErrorCode::kInternal,
                  fmt::format("cannot read {}: {}", shortened(call.upload_file, 200),
                              file && errno == 0 ? "not a regular file" : std::strerror(errno)));
    }
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_READDATA, file.get());
    set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(info.st_size));
  } else if (!call.body.empty() || call.method == "PUT" || call.method == "POST") {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(easy, CURLOPT_POSTFIELDS, call.body.data());
  }
  if (call.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (call.method != "GET" || !call.body.empty() || file) {
    set(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }
  return file;
}

Result<List> set_headers(CURL* easy, const HttpCall& call) {
  List list;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl().slist_append(list.get(), line.c_str());
    if (longer == nullptr) return;
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const auto& [name, value] : call.headers.all()) {
    const bool holds_line_end = std::ranges::any_of(std::array{&name, &value}, [](auto* text) {
      return text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
    });
    if (holds_line_end) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("header {} holds a line end", shortened(name)));
    }
    add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // curl waits a second for "100 Continue" and adds a form's content type on its own.
  if (call.headers.find("Expect") == nullptr) add("Expect:");
  if (call.headers.find("Content-Type") == nullptr) add("Content-Type:");
  set(easy, CURLOPT_HTTPHEADER, list.get());
  return list;
}

Failure explain(CURLcode code, const HttpCall& call, const Progress& progress,
                const char* error_text) {
  const std::string url = shortened(call.url, 200);
  if (progress.too_long) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the answer of {} is longer than {} bytes", url, call.body_max));
  }
  if (progress.stopped) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} {} was stopped", call.method, url));
  }
  if (progress.link_local) {
    return fail(
        ErrorCode::kPermissionDenied,
        fmt::format("{} {}: leads to a link-local address, which is refused", call.method, url));
  }
  const char* text = error_text[0] != '\0' ? error_text : curl().easy_strerror(code);
  const bool ours = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
  return fail(ours ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable,
              fmt::format("{} {}: {}", call.method, url, shortened(text, 300)));
}

}  // namespace

Result<HttpResponse> http_call(const HttpCall& call) {
  const auto handle = thread_handle();
  if (!handle) return fail(handle.error());
  CURL* easy = *handle;
  Progress progress{.call = call, .response = {}};
  std::array<char, CURL_ERROR_SIZE> error_text{};
  set_common(easy, call, progress, error_text.data());
  const auto file = set_body(easy, call);
  if (!file) return fail(file.error());
  const auto list = set_headers(easy, call);
  if (!list) return fail(list.error());

  const CURLcode code = curl().easy_perform(easy);
  curl().easy_reset(easy);  // it must not keep pointers into this frame
  if (code != CURLE_OK) return explain(code, call, progress, error_text.data());
  progress.tell_head();
  return std::move(progress.response);
}

}  // namespace heddle::net
