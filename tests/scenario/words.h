// The words and sizes of scenario files.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/resources.h"
#include "base/text.h"

namespace heddle::scenario {

/// The words of a line: those with '=' by name, the others in order.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;
  std::string rest;  // everything behind the first two words, for texts

  explicit Words(std::string_view line) {
    std::size_t count = 0;
    std::string_view left = trim(line);
    while (!left.empty()) {
      const std::size_t end = std::min(left.find_first_of(" \t"), left.size());
      const std::string word(left.substr(0, end));
      left = trim(left.substr(end));
      if (++count == 3) rest = left;
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos || equals == 0) {
        plain.push_back(word);
      } else {
        named[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
  }
  std::string at(std::size_t index) const { return index < plain.size() ? plain[index] : ""; }
  bool has(std::string_view word) const { return std::ranges::find(plain, word) != plain.end(); }
  std::string get(const std::string& name, const std::string& otherwise = "") const {
    const auto found = named.find(name);
    return found == named.end() ? otherwise : found->second;
  }
};

/// "4GB,2c", with `types` as further units; nullopt: it is no size.
inline std::optional<Resources> size_of(std::string_view text,
                                        const std::vector<std::string>& types) {
  Resources out(0, 0);
  for (const std::string& part : split_list(text)) {
    const std::size_t digits = std::min(part.find_first_not_of("0123456789"), part.size());
    const auto number = parse_int(std::string_view(part).substr(0, digits));
    const std::string unit = part.substr(digits);
    if (!number) return std::nullopt;
    if (unit == "GB") {
      out.amount[kMemory] = *number * 1024;
    } else if (unit == "MB") {
      out.amount[kMemory] = *number;
    } else if (unit == "c") {
      out.amount[kVcores] = *number;
    } else if (const auto type = std::ranges::find(types, unit); type != types.end()) {
      out.amount[2 + static_cast<std::size_t>(type - types.begin())] = *number;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace heddle::scenario
