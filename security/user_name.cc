#include "security/user_name.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::security {
namespace {

constexpr std::size_t kNameMax = 255;

bool is_allowed(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7F &&
         std::string_view("/\\\"'&,:").find(c) == std::string_view::npos;
}

}  // namespace

Result<void> check_user_name(std::string_view name) {
  if (!name.empty() && name.size() <= kNameMax && name.front() != '-' && name != "." &&
      name != ".." && std::ranges::all_of(name, is_allowed)) {
    return {};
  }
  return fail(ErrorCode::kUnauthenticated,
              fmt::format("'{}' is not a user name: 1 to {} letters, digits and signs are, without "
                          "blanks, slashes, quotes, & , : and not beginning with -",
                          shortened(name), kNameMax));
}

}  // namespace heddle::security
