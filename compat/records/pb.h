// Short names of the generated namespaces.
#pragma once

namespace hadoop::yarn {}
namespace hadoop::common {}

namespace heddle::compat {
namespace pb = ::hadoop::yarn;
namespace pbc = ::hadoop::common;
}  // namespace heddle::compat
