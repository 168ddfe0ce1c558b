// What conf/properties.tsv knows: the names of properties, their defaults and meanings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heddle::compat::xml {

struct KnownProperty {
  std::string_view name;  // may hold variable parts: "yarn.resourcemanager.hostname.<rm-id>"
  std::string_view default_value;  // empty = none
  std::string_view meaning;
  bool is_pattern() const { return name.find('<') != std::string_view::npos; }
};

/// Sorted by name. Lives as long as the program.
std::span<const KnownProperty> known_properties();

/// `name` is in the table, or fits a pattern of it.
bool is_known(std::string_view name);

/// The known name that `name` most likely means: at most two letters changed, added, left out or
/// swapped, in settings of a queue in the part behind its path. nullopt when `name` is known, or
/// nothing is near.
std::optional<std::string> did_you_mean(std::string_view name);

}  // namespace heddle::compat::xml
