// Asks the daemons by REST.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/net/http.h"
#include "tools/heddle/outcome.h"

namespace heddle::cli {

/// One ResourceManager, or several of which one is active.
class Client {
 public:
  Client(std::vector<std::string> rm_urls, std::string user, Duration timeout)
      : rm_urls_(std::move(rm_urls)), user_(std::move(user)), timeout_(timeout) {}

  /// `path` below /ws/v1/cluster, with its query: "/apps?states=RUNNING".
  Outcome<nlohmann::json> get(std::string_view path);
  Outcome<nlohmann::json> put(std::string_view path, std::string body);
  /// The same below /ws/v1/heddle: what Hadoop's ResourceManager has not.
  /// `query` as of query_text(), or nothing.
  Outcome<nlohmann::json> get_own(std::string_view path, std::string_view query = {});
  Outcome<nlohmann::json> put_own(std::string_view path, std::string body);

  /// From a NodeManager at "host:port"; `path` below /ws/v1/node. At most `body_max` bytes.
  Outcome<std::string> node_text(std::string_view address, std::string_view path,
                                 std::uint64_t body_max);
  Outcome<nlohmann::json> node_get(std::string_view address, std::string_view path);

 private:
  Outcome<net::HttpResponse> call(net::HttpCall call) const;
  Outcome<nlohmann::json> ask(const net::HttpCall& template_call, std::string_view below,
                              std::string_view path);
  Outcome<nlohmann::json> put_below(std::string_view below, std::string_view path,
                                    std::string body);

  std::vector<std::string> rm_urls_;  // the one that answered last comes first
  std::string user_;
  Duration timeout_;
};

/// "?a=1&b=2" of those that have a value; "" when none has.
std::string query_text(const std::vector<std::pair<std::string, std::string>>& values);

/// The error that an answer with this status means. `body` is what it said.
CommandError refusal(int status, std::string_view url, std::string_view body);

}  // namespace heddle::cli
