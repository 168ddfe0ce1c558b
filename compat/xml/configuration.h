// A daemon's configuration: Hadoop's *-site.xml files over Hadoop's defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"

namespace heddle::compat::xml {

/// `-D name=value` of a command line.
struct Override {
  std::string name;
  std::string value;
};

/// "name=value" taken apart. kInvalidArgument when there is no '=' or no name.
Result<Override> parse_override(std::string_view text);

struct Configuration {
  Settings settings;
  std::vector<std::string> warnings;  // for the log at start: misspelt names, ignored lines
  /// BrokenQueues::kTold: why capacity-scheduler.xml was left out.
  std::optional<Error> queues_fault;
};

/// What becomes of a capacity-scheduler.xml that cannot be read or taken apart.
enum class BrokenQueues : std::uint8_t { kFail, kTold };

/// Reads core-site, hdfs-site, yarn-site, capacity-scheduler, resource-types, node-resources and
/// mapred-site .xml of `conf_dir`, in this order, later ones winning unless a value is final.
/// Files that do not exist are left out. Under them lie the defaults of conf/properties.tsv
/// (source "default") and user.name (source "process"); over them the overrides (source "command
/// line"), which no file can change. Errors name the full path, and line and column if there are.
Result<Configuration> load_configuration(const std::filesystem::path& conf_dir,
                                         const std::vector<Override>& overrides,
                                         BrokenQueues broken_queues = BrokenQueues::kFail);

/// One file, for refreshing a part while running. The file must exist.
Result<Configuration> load_file(const std::filesystem::path& file);

/// Names of the files that load_configuration() reads, in its order.
std::span<const std::string_view> configuration_files();

/// The text of one of them, or one byte more than allowed, which the parser then refuses.
/// kNotFound, kInvalidArgument: with the full path.
Result<std::string> read_configuration_file(const std::filesystem::path& path);

/// Text in the form of a *-site.xml file; `name` stands for the file in messages. Pure.
Result<Configuration> parse_configuration(std::string_view text, std::string_view name);

/// Memory, vcores and the types named by yarn.resource-types with their units and limits.
Result<ResourceTypes> resource_types_from(const Settings& settings);

}  // namespace heddle::compat::xml
