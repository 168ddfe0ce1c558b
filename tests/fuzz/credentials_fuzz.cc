// Credentials as clients send them with an application: whatever decodes must encode to something
// that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "security/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::security;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto credentials = decode_credentials(bytes)) {
    const std::string encoded = encode_credentials(*credentials);
    const auto again = decode_credentials(encoded);
    if (!again || encode_credentials(*again) != encoded) std::abort();
  }
  if (const auto token = decode_token(bytes)) {
    const std::string encoded = encode_token(*token);
    const auto again = decode_token(encoded);
    if (!again || encode_token(*again) != encoded) std::abort();
  }
  return 0;
}
