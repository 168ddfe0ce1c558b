// Placement rules in JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/placement_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::queues::rules;
  static const QueueTree kQueues = QueueTree::from(fuzz_queues());
  RuleTexts texts;
  texts.format = "json";
  texts.json = std::string(reinterpret_cast<const char*>(data), size);
  texts.override_requested = size % 2 == 0;
  if (const auto rules = parse_rules(texts, kQueues)) try_rules(*rules, kQueues);
  return 0;
}
