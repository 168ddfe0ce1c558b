// The text of launch_container.sh. Source: wire facts "container", sections 3 and 4; clients and
// ApplicationMasters depend on its quoting (there is none), order and expansion. One thing is done
// otherwise than in Hadoop's: what it lets cp, chmod, ls and find do, heddle-debug-files does.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle::nm {

using Variables = std::vector<std::pair<std::string, std::string>>;

struct LaunchScript {
  Variables inherited;  // of the node, as defaults: export X=${X:-"value"}
  Variables node;       // set by the node, in this order
  Variables container;  // the container's own; already expanded and ordered
  std::vector<std::pair<std::string, std::string>> links;  // target, link name
  std::string log_dir;                                     // absolute
  std::string debug_program;          // heddle-debug-files, absolute; empty: none are kept
  std::vector<std::string> commands;  // already expanded
};

/// Pure. Nothing is escaped, as Hadoop does not and clients rely on it.
std::string to_text(const LaunchScript& script);

/// Replaces <LOG_DIR>, <CPS>, <ADD_OPENS>, {{ and }} as Hadoop does. Pure. `java_17` tells whether
/// the node's JVM needs the options that <ADD_OPENS> stands for.
std::string expand_tokens(std::string_view text, std::string_view log_dir, bool java_17);

/// The variables in an order in which each comes after those its value mentions ($X, ${X}); as
/// given otherwise, and where they mention each other. Pure.
Variables order_by_use(Variables variables);

}  // namespace heddle::nm
