// A daemon's configuration: Hadoop's *-site.xml files over Hadoop's defaults.
#pragma once

#include <filesystem>
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
};

/// Reads core-site, hdfs-site, yarn-site, capacity-scheduler, resource-types, node-resources and
/// mapred-site .xml of `conf_dir`, in this order, later ones winning unless a value is final.
/// Files that do not exist are left out. Under them lie the defaults of conf/properties.tsv
/// (source "default") and user.name (source "process"); over them the overrides (source "command
/// line"), which no file can change. Errors name the full path, and line and column if there are.
Result<Configuration> load_configuration(const std::filesystem::path& conf_dir,
                                         const std::vector<Override>& overrides);

/// One file, for refreshing a part while running. The file must exist.
Result<Configuration> load_file(const std::filesystem::path& file);

/// Text in the form of a *-site.xml file; `name` stands for the file in messages. Pure.
Result<Configuration> parse_configuration(std::string_view text, std::string_view name);

/// Memory, vcores and the types named by yarn.resource-types with their units and limits.
Result<ResourceTypes> resource_types_from(const Settings& settings);

}  // namespace heddle::compat::xml
