// The pages both daemons have: /jmx, /prom, /conf, /stacks, /logs, /isActive, /static.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compat/rest/beans.h"
#include "compat/rest/router.h"

namespace heddle::compat::rest {

/// `beans` is called for each request, on a loop thread.
void add_monitor_routes(Router& router, const WebOptions& options,
                        const std::function<std::vector<Bean>()>& beans);

/// All settings, or the one called `name`; secrets are replaced.
std::string conf_json(const Settings& settings, std::string_view name);

}  // namespace heddle::compat::rest
