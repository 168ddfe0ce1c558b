#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/net/http_wire.h"

namespace {

using heddle::net::HttpRequestReader;

/// What came out, as text; equal for equal bytes however they were cut.
std::string read_in_pieces(std::string_view bytes, std::size_t piece) {
  heddle::net::HttpLimits limits;
  limits.head_max = 1 << 20;  // limits are looked at between pieces, so they must not differ here
  HttpRequestReader reader(limits);
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.append(bytes.substr(at, piece));
    while (reader.advance() == HttpRequestReader::State::kReady) {
      const auto request = reader.take();
      if (request.path.empty() || request.path.front() != '/') std::abort();
      seen += request.method + " " + request.target + " " + request.body + "\n";
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (read_in_pieces(bytes, SIZE_MAX / 2) != read_in_pieces(bytes, data[0] % 16U + 1)) std::abort();
  static_cast<void>(heddle::net::parse_query(bytes));
  return 0;
}
