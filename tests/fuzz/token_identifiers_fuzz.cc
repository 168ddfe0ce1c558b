// Token identifiers: whatever decodes must encode to something that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compat/records/tokens.h"
#include "compat/records/urls.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::compat;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const heddle::ResourceTypes types;
  if (const auto amrm = decode_amrm_identifier(bytes)) {
    const auto again = decode_amrm_identifier(encode(*amrm));
    if (!again || again->attempt != amrm->attempt || again->key_id != amrm->key_id) std::abort();
  }
  if (const auto node = decode_nm_identifier(bytes)) {
    const auto again = decode_nm_identifier(encode(*node));
    if (!again || again->node != node->node || again->user != node->user) std::abort();
  }
  if (const auto container = decode_container_identifier(bytes, types)) {
    const auto again = decode_container_identifier(encode(*container, types), types);
    if (!again || again->container != container->container) std::abort();
  }
  pb::URLProto url;
  url_to_wire(bytes, &url);
  (void)url_from_wire(url);
  return 0;
}
