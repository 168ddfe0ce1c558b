// Rows of JSON objects ({..} {..} ..) read as a stream: of each object its plain members, and one
// list of flat objects below it. What else is nested is skipped.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::sim {

struct JsonMember {
  std::string name;
  std::string text;  // of a string its content, of anything else as written
  std::int64_t line = 0;
};
using JsonMembers = std::vector<JsonMember>;

/// Called in the order of the file. An error ends the reading and gets "name:line: " in front.
struct JsonRowTaker {
  std::function<Result<void>(const JsonMembers&)> object;   // at the end of each
  std::function<Result<void>(const JsonMembers&)> element;  // of the list, before its object
};

inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kJsonMembersMax = 256;   // of one object
inline constexpr std::size_t kJsonTokenMax = 65'536;  // bytes of one string or number

/// `list`: the name of the member that holds the list. kInvalidArgument: not JSON, or what the
/// taker says; kLimitExceeded: deeper or longer than the limits above.
Result<void> read_json_rows(std::istream& in, const std::string& name, std::string_view list,
                            const JsonRowTaker& taker);

}  // namespace heddle::sim
