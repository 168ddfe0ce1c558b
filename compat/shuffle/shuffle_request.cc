#include "compat/shuffle/shuffle_request.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "security/token.h"

namespace heddle::compat::shuffle {
namespace {

tl::unexpected<Refusal> refuse(int status, std::string_view body) {
  return tl::unexpected(Refusal{status, std::string(body)});
}

bool is_number(std::string_view text, std::size_t digits_max) {
  return !text.empty() && text.size() <= digits_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Pieces between separators, empty ones too.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_map_attempt(std::string_view text) {
  const auto parts = split(text, '_');
  return parts.size() == 6 && parts[0] == "attempt" && is_number(parts[1], 19) &&
         is_number(parts[2], 10) && (parts[3] == "m" || parts[3] == "r") &&
         is_number(parts[4], 10) && is_number(parts[5], 10);
}

OrRefusal<ShuffleRequest> parse_shuffle_request(const net::HttpRequest& request) {
  if (request.method != "GET") return refuse(405, "");
  if (request.headers.get("name") != "mapreduce" || request.headers.get("version") != "1.0.0") {
    return refuse(400, "Incompatible shuffle request version");
  }
  ShuffleRequest parsed;
  std::vector<std::string_view> jobs;
  std::vector<std::string_view> reduces;
  std::vector<std::string_view> maps;
  for (const auto& [name, value] : request.query) {
    if (name == "job") jobs.emplace_back(value);
    if (name == "reduce") reduces.emplace_back(value);
    if (name == "keepAlive" && to_lower(value) == "true") parsed.keep_alive = true;
    if (name == "map") {
      const auto parts = split(value, ',');
      maps.insert(maps.end(), parts.begin(), parts.end());
    }
  }
  if (jobs.empty() || reduces.empty() || maps.empty()) {
    return refuse(400, "Required param job, map and reduce");
  }
  if (jobs.size() > 1 || reduces.size() > 1) {
    return refuse(400, "Too many job/reduce parameters");
  }
  const auto reduce = parse_int(reduces[0]);
  if (!reduce || *reduce < 0 || *reduce > INT32_MAX) return refuse(400, "Bad reduce parameter");
  if (!std::all_of(maps.begin(), maps.end(), is_map_attempt)) {
    return refuse(400, "Bad map parameter");
  }
  parsed.job = jobs[0];
  parsed.reduce = static_cast<std::int32_t>(*reduce);
  parsed.maps.assign(maps.begin(), maps.end());
  parsed.url_hash = request.headers.get("UrlHash");
  return parsed;
}

std::string job_id_of(const AppId& app) {
  return fmt::format("job_{}_{:04}", app.cluster_start_ms, app.sequence);
}

std::string expected_url_hash(const security::Secret& secret, std::uint16_t port,
                              std::string_view target) {
  return base64_encode(security::hmac_sha1(secret, std::to_string(port) + std::string(target)));
}

std::string reply_hash(const security::Secret& secret, std::string_view url_hash) {
  return base64_encode(security::hmac_sha1(secret, url_hash));
}

std::string shuffle_header(std::string_view attempt, std::int64_t part_length,
                           std::int64_t raw_length, std::int32_t reduce) {
  std::string out;
  security::append_text(out, attempt);
  security::append_vlong(out, part_length);
  security::append_vlong(out, raw_length);
  security::append_vlong(out, reduce);
  return out;
}

}  // namespace heddle::compat::shuffle
