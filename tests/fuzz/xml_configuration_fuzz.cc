// Any bytes as a configuration file: read, written as XML, read again to the same values.
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
  if (!second || second->settings.all().size() != first->settings.all().size()) std::abort();
  return 0;
}
