#include "rm/service/queue_loading.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "base/text.h"
#include "queues/rules/placement.h"
#include "rm/service/options.h"
#include "rm/service/queue_settings.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kRuleFile = "yarn.scheduler.capacity.mapping-rule-json-file";

Result<std::string> read_rule_file(const std::string& path) {
  const auto no = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: {}: {}", kRuleFile, shortened(path, 200), why),
                ErrorSubject::kQueue);
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {  // a pipe would never end
    return no(error ? error.message() : "is not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return no(std::strerror(errno));
  std::string text(queues::rules::kRuleTextMax + 1, '\0');  // one more tells that there is more
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return no(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Result<queues::rules::Placement> placement_from(const Settings& settings) {
  const std::string path = queues::rules::rule_file_of(settings);
  if (path.empty()) return queues::rules::parse_placement(settings);
  const auto text = read_rule_file(path);
  if (!text) return fail(text.error());
  return queues::rules::parse_placement(settings, *text);
}

}  // namespace

Result<queues::QueueConfig> queue_config_from(const Settings& settings,
                                              const queues::Limits& limits,
                                              const ResourceTypes& types) {
  auto config = settings.find(kRootQueues)
                    ? queues::parse_capacity_config(settings, limits, types)
                    : Result<queues::QueueConfig>(queues::default_queue_config());
  auto placement = placement_from(settings);
  if (!config && !placement) {
    return fail(config.error().code, config.error().message + "\n" + placement.error().message,
                ErrorSubject::kQueue);
  }
  if (!config) return fail(std::move(config).error());
  auto preemption = preemption_from(settings);
  if (!preemption) return fail(std::move(preemption).error());
  config->preemption = *preemption;
  if (!placement) return fail(std::move(placement).error());
  for (const auto* warnings : {&config->warnings, &placement->warnings}) {
    for (const std::string& warning : *warnings)
      log::warn("{}", warning);
  }
  config->placement = std::make_shared<const queues::rules::Placement>(*std::move(placement));
  return config;
}

}  // namespace heddle::rm
