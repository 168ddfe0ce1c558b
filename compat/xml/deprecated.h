// Names that Hadoop still takes for newer ones: conf/renamed.tsv.
#pragma once

#include <optional>
#include <string_view>

namespace heddle::compat::xml {

struct Renamed {
  std::string_view newer;
  bool taken_here;  // else the old name has no effect in Heddle
};

/// nullopt: not an old name.
std::optional<Renamed> renamed(std::string_view old_name);

}  // namespace heddle::compat::xml
