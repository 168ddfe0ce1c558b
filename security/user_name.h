// Which names a user may have, however he came by it: they become parts of paths and of command
// lines on the nodes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::security {

/// 1 to 255 printable ASCII characters without blanks, slashes, quotes, & , : and not beginning
/// with '-', nor "." or "..". kUnauthenticated shows the name, shortened, and the rule.
Result<void> check_user_name(std::string_view name);

}  // namespace heddle::security
