// Any text as a DIGEST-MD5 response and as a challenge.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "security/digest_md5.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle;
  using namespace heddle::security;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const DigestMd5Server server("BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83");
  const auto success =
      server.evaluate(text, [](std::string_view) -> Result<Secret> { return random_secret(20); });
  if (success) std::abort();  // nobody guesses a random password
  DigestMd5Client client("id", Secret("p"), "c");
  if (client.respond(text)) (void)client.verify(text);
  return 0;
}
