// One configuration file taken apart, before anything is decided about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::compat::xml {

inline constexpr std::size_t kFileBytesMax = 8 << 20;

struct Entry {
  std::string name;
  std::string value;
  std::string source;  // "yarn-site.xml:12"
  bool is_final = false;
};

struct ParsedFile {
  std::vector<Entry> entries;         // in the order of the file
  std::vector<std::string> warnings;  // parts that have no meaning here
};

/// Takes UTF-8 XML apart. Expands nothing but the five entities of XML and character numbers:
/// kUnsupported for XInclude and for a DOCTYPE that declares anything; kLimitExceeded above
/// kFileBytesMax; else kInvalidArgument with `file_name`, line and column. Pure.
Result<ParsedFile> parse_file(std::string_view text, std::string_view file_name);

}  // namespace heddle::compat::xml
