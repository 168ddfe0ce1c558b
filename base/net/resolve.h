// Host names to addresses, for base/net alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/net/asio.h"
#include "base/net/connection.h"

namespace heddle::net {

Endpoint to_endpoint(const tcp::endpoint& endpoint);

/// IPv4 before IPv6, as Java's clients and daemons do. Blocks while it asks the resolver.
Result<std::vector<tcp::endpoint>> resolve(const std::string& host, std::uint16_t port);

/// The same without blocking; `done` is called on the thread of `resolver`'s context, never inside
/// this call. Cancelled with the resolver.
void resolve_async(tcp::resolver& resolver, const std::string& host, std::uint16_t port,
                   std::function<void(Result<std::vector<tcp::endpoint>>)> done);

}  // namespace heddle::net
