// Who listens on a port, for error messages.
#pragma once

#include <cstdint>
#include <string>

namespace heddle::net {

/// " (held by process 123, java)", or "" where /proc does not show it.
std::string port_holder(std::uint16_t port);

}  // namespace heddle::net
