#include <cstddef>
#include <cstdint>

#include "compat/logfile/aggregated_log.h"
#include "compat/logfile/tfile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::compat::logfile;
  const auto records = read_tfile({reinterpret_cast<const char*>(data), size}, 1 << 20);
  if (!records) return 0;
  for (const auto& record : *records)
    static_cast<void>(read_container_value(record.value));
  return 0;
}
