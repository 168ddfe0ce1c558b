// Changes of the queues by REST, JSON and XML: whatever comes, an answer and no crash; and what was
// understood can be applied and told.
#include <cstdint>
#include <string_view>

#include "compat/rest/body.h"
#include "compat/rest/queue_change.h"
#include "queues/config.h"
#include "queues/config_change.h"

namespace {

using namespace heddle;

void apply(const compat::rest::Body& body, compat::rest::ChangeForm form) {
  const auto asked = compat::rest::queue_change_from_body(body, form);
  if (!asked) return;
  static const queues::SettingValues kNow = {
      {"yarn.scheduler.capacity.root.queues", "a,b"},
      {"yarn.scheduler.capacity.root.a.capacity", "40"},
      {"yarn.scheduler.capacity.root.b.capacity", "60"},
      {"yarn.scheduler.capacity.root.b.queues", "x"},
      {"yarn.scheduler.capacity.root.b.x.capacity", "100"},
  };
  const auto changed = queues::apply_change(kNow, asked->change);
  (void)queues::describe(asked->change);
  if (!changed.faults.empty()) return;
  Settings settings;
  for (const auto& [name, value] : changed.settings)
    settings.set(name, {value, "fuzz", false});
  (void)queues::parse_capacity_config(settings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {compat::rest::parse_json_body, compat::rest::parse_xml_body}) {
    const auto body = parse(text, {});
    if (!body) continue;
    apply(*body, compat::rest::ChangeForm::kHadoop);
    apply(*body, compat::rest::ChangeForm::kOwn);
  }
  return 0;
}
