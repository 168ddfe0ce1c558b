#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/net/http_wire.h"
#include "compat/shuffle/map_index.h"
#include "compat/shuffle/shuffle_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto segments = heddle::compat::shuffle::parse_index_file(bytes)) {
    if (segments->size() * 24 + 8 != size) std::abort();
  }
  auto target = heddle::net::parse_target("GET", bytes);
  if (!target) return 0;
  heddle::net::HttpRequest request;
  request.method = "GET";
  request.query = std::move(target->query);
  request.headers.add("name", "mapreduce");
  request.headers.add("version", "1.0.0");
  const auto parsed = heddle::compat::shuffle::parse_shuffle_request(request);
  if (!parsed) return 0;
  for (const auto& map : parsed->maps) {
    if (map.find_first_of(std::string_view("/.\0", 3)) != std::string::npos) std::abort();
  }
  return 0;
}
