// The configuration of a cluster for trials.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/heddle/outcome.h"

namespace heddle::cli {

struct DevPorts {
  std::uint16_t client = 0;
  std::uint16_t scheduler = 0;
  std::uint16_t tracker = 0;
  std::uint16_t admin = 0;
  std::uint16_t web = 0;
  struct Node {
    std::uint16_t ipc = 0;
    std::uint16_t web = 0;
    std::uint16_t localizer = 0;
    std::uint16_t shuffle = 0;
  };
  std::vector<Node> nodes;
};

/// Different loopback ports that nobody held a moment ago.
Outcome<DevPorts> choose_ports(int nodes);

using Properties = std::map<std::string, std::string>;

/// File name -> properties, for daemons and clients. `hadoop_home` may be empty.
std::map<std::string, Properties> dev_configuration(const std::string& dir, const DevPorts& ports,
                                                    const std::string& hadoop_home);
/// What differs from node to node. `index` from 1.
Properties dev_node_properties(const std::string& dir, const DevPorts& ports, int index);

/// Writes the *-site.xml files into `conf_dir`, which exists.
Outcome<void> write_configuration(const std::string& conf_dir,
                                  const std::map<std::string, Properties>& files);

}  // namespace heddle::cli
