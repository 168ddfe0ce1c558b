// Any bytes as a configuration file: what it reads, written as XML, must be readable again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compat/xml/configuration.h"
#include "compat/xml/write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::compat::xml;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = parse_configuration(text, "fuzz.xml");
  if (!first) return 0;
  (void)resource_types_from(first->settings);
  const auto second = parse_configuration(to_xml(first->settings), "fuzz.xml");
  if (!second) std::abort();
  return 0;
}
