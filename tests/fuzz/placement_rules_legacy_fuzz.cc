// Placement rules as lists with colons. Parts with semicolons between them: queue mappings,
// mappings of names, engines, priorities of workflows, names of child queues of root.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/placement_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle;
  using namespace heddle::queues::rules;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<std::string, 5> lines;
  for (std::string& line : lines) {
    const auto end = std::min(text.find(';'), text.size());
    line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Settings settings = fuzz_queues();
  if (!lines[4].empty()) {
    settings.set("yarn.scheduler.capacity.root.queues", {lines[4], "fuzz", false});
  }
  const QueueTree queues = QueueTree::from(settings);
  RuleTexts texts;
  texts.mappings = lines[0];
  texts.app_mappings = lines[1];
  texts.engines = lines[2];
  texts.override_requested = size % 2 == 0;
  if (const auto rules = parse_rules(texts, queues)) try_rules(*rules, queues);
  if (const auto found = parse_workflow_priorities(lines[3], true, "w:", queues)) {
    (void)found->find({"w:x", "w:"}, "root.users.ann");
  }
  return 0;
}
