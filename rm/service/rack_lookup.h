// Where racks come from: the script or the table that net.topology.* names. Source: "Rack
// Awareness" of Hadoop's documentation, and the descriptions in core-default.xml.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "rm/service/racks.h"

namespace heddle::rm {

inline constexpr TextProperty kRackMapping{
    .name = "net.topology.node.switch.mapping.impl",
    .default_value = "org.apache.hadoop.net.ScriptBasedMapping",
    .doc = "Who knows the racks of nodes: ...ScriptBasedMapping or ...TableMapping."};
inline constexpr TextProperty kRackScript{
    .name = "net.topology.script.file.name",
    .default_value = "",
    .doc =
        "A program that is given addresses and prints the rack of each, like /rack1; unset: all "
        "nodes are in /default-rack."};
inline constexpr IntProperty kRackScriptArguments{
    .name = "net.topology.script.number.args",
    .default_value = 100,
    .doc = "How many addresses the rack script is given at once.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 10'000 ? "" : "must lie between 1 and 10000";
    }};
inline constexpr TextProperty kRackTable{
    .name = "net.topology.table.file.name",
    .default_value = "",
    .doc = "A file with an address or host name and its rack on each line."};

/// As the settings say. kInvalidArgument, kUnsupported: which setting is wrong. A program or file
/// that is not there is logged.
Result<std::shared_ptr<Racks>> racks_from(const Settings& settings);

/// The address of a host as text, IPv4 if it has one, or the name itself. Blocks.
std::string address_of(const std::string& host);

/// Runs the program with the addresses of the hosts.
Racks::Lookup script_racks(std::string program);
/// Reads the file each time: it is asked for what is not remembered only.
Racks::Lookup table_racks(std::string file);

}  // namespace heddle::rm
