// The text form of placement constraints: an error, or one that is written and read the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "queues/constraints.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::queues;
  const auto first = parse_constraint({reinterpret_cast<const char*>(data), size});
  if (!first) return 0;
  const auto again = parse_constraint(to_text(*first));
  if (!again || !(*again == *first)) std::abort();
  return 0;
}
