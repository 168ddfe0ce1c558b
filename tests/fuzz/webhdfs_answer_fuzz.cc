#include <cstddef>
#include <cstdint>

#include "nodemanager/localize/webhdfs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(heddle::nm::parse_file_status(text));
  static_cast<void>(heddle::nm::parse_file_statuses(text));
  static_cast<void>(heddle::nm::parse_boolean(text));
  static_cast<void>(heddle::nm::parse_remote_exception(500, text));
  return 0;
}
