// Tables in files with tabs between columns. Internal to compat/xml.
#pragma once

#include <algorithm>
#include <string_view>

namespace heddle::compat::xml {

/// Takes the first piece off `text`, and the separator behind it.
inline std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return piece;
}

}  // namespace heddle::compat::xml
