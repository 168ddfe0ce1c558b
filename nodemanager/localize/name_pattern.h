// Patterns on file names that users give: a Java regular expression, as far as POSIX has it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::nm {

/// Never takes time exponential in the name: back references, look-around and long patterns are
/// refused, with kInvalidArgument naming the pattern.
class NamePattern {
 public:
  static Result<NamePattern> compile(std::string_view pattern);
  bool matches_whole(std::string_view name) const;
  bool found_in(std::string_view name) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace heddle::nm
