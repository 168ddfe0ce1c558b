#include "base/net/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace heddle::net {
namespace {

std::optional<tcp::endpoint> numeric(const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return std::nullopt;
  return tcp::endpoint(address, port);
}

Result<std::vector<tcp::endpoint>> ordered(const std::string& host, error_code error,
                                           const tcp::resolver::results_type& results) {
  if (error || results.empty()) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("host name \"{}\" does not resolve: {}", shortened(host),
                            error ? error.message() : "it has no address"));
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : results)
    endpoints.push_back(entry.endpoint());
  std::stable_partition(endpoints.begin(), endpoints.end(),
                        [](const tcp::endpoint& e) { return e.address().is_v4(); });
  return endpoints;
}

}  // namespace

Endpoint to_endpoint(const tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

Result<std::vector<tcp::endpoint>> resolve(const std::string& host, std::uint16_t port) {
  if (auto endpoint = numeric(host, port)) return std::vector{*endpoint};
  asio::io_context io;
  tcp::resolver resolver(io);
  error_code error;
  const auto results =
      resolver.resolve(host, std::to_string(port), tcp::resolver::numeric_service, error);
  return ordered(host, error, results);
}

void resolve_async(tcp::resolver& resolver, const std::string& host, std::uint16_t port,
                   std::function<void(Result<std::vector<tcp::endpoint>>)> done) {
  if (auto endpoint = numeric(host, port)) {
    asio::post(resolver.get_executor(),
               [endpoint = *endpoint, done = std::move(done)] { done(std::vector{endpoint}); });
    return;
  }
  resolver.async_resolve(
      host, std::to_string(port), tcp::resolver::numeric_service,
      [host, done = std::move(done)](error_code error, const tcp::resolver::results_type& found) {
        done(ordered(host, error, found));
      });
}

}  // namespace heddle::net
