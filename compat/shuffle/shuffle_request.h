// A fetch request as reducers send it, and its checks. Pure.
// Source: wire facts "container", section 6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/ids.h"
#include "base/net/http.h"
#include "base/result.h"
#include "security/secret.h"

namespace heddle::compat::shuffle {

/// What a fetcher is told instead of an answer. The texts are those of Hadoop's service.
struct Refusal {
  int status = 500;
  std::string body;
};
template <class T>
using OrRefusal = tl::expected<T, Refusal>;

struct ShuffleRequest {
  std::string job;                // as sent; looked up, never part of a path
  std::vector<std::string> maps;  // attempt ids, each checked by is_map_attempt()
  std::int32_t reduce = 0;        // from 0
  bool keep_alive = false;
  std::string url_hash;  // "" when missing
};

/// Checks everything that needs no knowledge of jobs.
OrRefusal<ShuffleRequest> parse_shuffle_request(const net::HttpRequest& request);

/// attempt_<cluster start>_<job>_[mr]_<task>_<try>, digits only: safe as the name of a folder.
bool is_map_attempt(std::string_view text);

std::string job_id_of(const AppId& app);  // "job_1795310003435_0012"

/// base64(HMAC-SHA1(secret, port + target)): what UrlHash has to be.
std::string expected_url_hash(const security::Secret& secret, std::uint16_t port,
                              std::string_view target);
/// base64(HMAC-SHA1(secret, the UrlHash text)).
std::string reply_hash(const security::Secret& secret, std::string_view url_hash);

/// What goes before each segment.
std::string shuffle_header(std::string_view attempt, std::int64_t part_length,
                           std::int64_t raw_length, std::int32_t reduce);

}  // namespace heddle::compat::shuffle
