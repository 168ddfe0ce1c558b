#include "compat/rest/router.h"

#include <optional>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

// The captures when the path fits, with the number of literal segments for ranking.
std::optional<std::vector<std::string>> fit(const std::vector<std::string>& pattern,
                                            const std::vector<std::string>& path, int& literals) {
  std::vector<std::string> captures;
  literals = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "{*}") {
      std::vector<std::string> rest(path.begin() + static_cast<std::ptrdiff_t>(i), path.end());
      captures.push_back(join(rest, "/"));
      return captures;
    }
    if (i >= path.size()) return std::nullopt;
    if (pattern[i] == "{}") {
      captures.push_back(path[i]);
    } else if (pattern[i] == path[i]) {
      ++literals;
    } else {
      return std::nullopt;
    }
  }
  if (pattern.size() != path.size()) return std::nullopt;
  return captures;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::string(method), path_segments(pattern), std::move(handler)});
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  const std::vector<std::string> segments = path_segments(path);
  if (method == "HEAD") method = "GET";
  Match best;
  int best_literals = -1;
  for (const Route& route : routes_) {
    int literals = 0;
    auto captures = fit(route.segments, segments, literals);
    if (!captures) continue;
    if (best.allow.find(route.method) == std::string::npos) {
      best.allow += (best.allow.empty() ? "" : ", ") + route.method;
      if (route.method == "GET") best.allow += ", HEAD";
    }
    if (route.method != method || literals <= best_literals) continue;
    best_literals = literals;
    best.handler = &route.handler;
    best.captures = std::move(*captures);
  }
  if (!best.allow.empty()) best.allow += ", OPTIONS";
  return best;
}

}  // namespace heddle::compat::rest
