// Bodies of REST submissions, JSON and XML: whatever comes, an answer and no crash.
#include <cstdint>
#include <string_view>

#include "compat/rest/body.h"
#include "compat/rest/submission.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const ResourceTypes types;
  if (const auto body = compat::rest::parse_json_body(text); body) {
    (void)compat::rest::submission_from_body(*body, types);
  }
  if (const auto body = compat::rest::parse_xml_body(text); body) {
    (void)compat::rest::submission_from_body(*body, types);
  }
  return 0;
}
