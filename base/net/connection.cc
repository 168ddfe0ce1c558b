#include "base/net/connection.h"

#include <fmt/format.h>

namespace heddle::net {

std::string to_string(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.address.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
               : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

void ConnectionHandler::on_peer_finished() {
  if (const auto connection = connection_.lock()) connection->close("closed by peer");
}

}  // namespace heddle::net
