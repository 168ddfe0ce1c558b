// What is wrong, or odd, in configuration files: everything at once, each with its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace heddle::compat::xml {

struct Finding {
  enum class Kind : std::uint8_t {
    kUnreadable,     // not XML, not there, too large
    kBadValue,       // not of the form the property needs
    kContradiction,  // two values that cannot both hold
    kUnknown,        // no property of that name
    kMisspelt,       // likewise, and one that it may mean
    kDeprecated,     // an older name
    kFinal,          // cannot change a value that an earlier file made final
    kRepeated,       // twice in one file
    kNoEffect        // known, and not acted upon
  };
  Kind kind = Kind::kUnknown;
  bool error = false;   // else a warning
  std::string source;   // "yarn-site.xml:12"; "" = of no single place
  std::string name;     // of the property; "" = of none
  std::string message;  // what is wrong, and what to do
};

std::string_view to_string(Finding::Kind kind);  // "bad-value", ...

struct NamedText {
  std::string name;  // "yarn-site.xml"
  std::string text;
};

struct Checked {
  std::vector<Finding> findings;  // in the order of the files
  Settings settings;              // as a daemon would have them, defaults below
};

/// Files in the order in which daemons read them. Pure.
Checked check_files(const std::vector<NamedText>& files);

}  // namespace heddle::compat::xml
