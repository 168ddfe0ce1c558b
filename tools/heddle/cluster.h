// Which cluster is meant, and who asks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/settings.h"
#include "tools/heddle/options.h"
#include "tools/heddle/outcome.h"

namespace heddle::cli {

struct Cluster {
  std::vector<std::string> rm_urls;  // "http://host:8088", the ResourceManagers in order
  std::optional<Settings> settings;  // when a configuration folder is known
};

/// --rm, --conf, $HEDDLE_RM, $YARN_CONF_DIR, $HADOOP_CONF_DIR: the first that is given.
Outcome<Cluster> find_cluster(const Options& options);

/// The web addresses of all ResourceManagers of a configuration.
std::vector<std::string> rm_urls_of(const Settings& settings);

/// $HADOOP_USER_NAME, else the login name: as Hadoop does without Kerberos.
std::string user_name();

}  // namespace heddle::cli
