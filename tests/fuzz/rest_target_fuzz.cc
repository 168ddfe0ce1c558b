// Request lines against the whole web surface: "METHOD target\nbody".
#include <cstdint>
#include <string>

#define HEDDLE_TEST_DATA ""

#include "compat/proxy/route.h"
#include "tests/unit/compat_rest/recorded.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle;
  static testlib::RecordedCluster cluster;
  static const net::HttpHandler web = cluster.web();
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto line_end = text.find('\n');
  const std::string line = text.substr(0, line_end);
  const auto blank = line.find(' ');
  if (blank == std::string::npos || blank + 1 >= line.size()) return 0;
  const std::string target = line.substr(blank + 1);
  if (const auto path = compat::proxy::parse_proxy_path(target); path) {
    (void)compat::proxy::plan(*path, &cluster.reports.app_list[0]);
  }
  if (const auto where = compat::proxy::parse_tracking_url(target); where) {
    if (const auto path = compat::proxy::parse_proxy_path("/proxy/application_1_0001/"); path) {
      (void)compat::proxy::rewrite_location(target, *path, *where);
    }
  }
  const auto answer =
      testlib::call(web, {.method = line.substr(0, blank),
                          .target = target,
                          .headers = {{"Content-Type", "application/json"}},
                          .body = line_end == std::string::npos ? "" : text.substr(line_end + 1)});
  if (answer.status == 0) __builtin_trap();  // every request is answered
  cluster.applications.calls.clear();
  return 0;
}
