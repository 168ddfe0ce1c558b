// Traces of the simulator: whatever comes, an error or events, and what is written is read again.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "tools/sim/text_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::sim;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  const auto trace = read_text_trace(in, "t");
  if (!trace) return 0;
  if ((*trace)->cluster().nodes.size() > 1000) return 0;
  std::ostringstream out;
  write_cluster(out, (*trace)->cluster());
  bool whole = false;
  for (;;) {
    const auto event = (*trace)->next();
    if (!event) break;
    if (!*event) {
      whole = true;
      break;
    }
    write_event(out, **event);
  }
  if (!whole) return 0;
  std::istringstream again(out.str());
  const auto second = read_text_trace(again, "again");
  if (!second) std::abort();
  return 0;
}
