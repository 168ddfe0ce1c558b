// Which function answers which path.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compat/rest/web.h"

namespace heddle::compat::rest {

/// A table of routes, filled once, then read from any thread.
class Router {
 public:
  using Handler = std::function<void(ExchangePtr)>;

  /// `pattern` is a path whose segments may be "{}" (one segment, captured) and whose last may be
  /// "{*}" (the rest, captured, may be empty).
  void add(std::string_view method, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // nullptr: see `allow`
    std::vector<std::string> captures;
    std::string allow;  // methods the path knows; "" = unknown path
  };
  /// HEAD is served by GET. Literal segments win over captures.
  Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace heddle::compat::rest
