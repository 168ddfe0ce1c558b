// The HTTP handlers of the daemons. main() gives them to net::HttpServer::listen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/net/http.h"
#include "compat/rest/options.h"
#include "nodemanager/api/door.h"
#include "rm/api/door.h"

namespace heddle::compat::rest {

/// Answers /proxy/...: the request, who asks, where the answer goes.
using ProxyHandler =
    std::function<void(net::HttpRequest, std::string user, std::shared_ptr<net::HttpResponder>)>;

/// Everything under /ws/v1/cluster, /cluster, /jmx, /conf, /prom, /stacks, /logs, /isActive.
/// `door` and what `options` points to must outlive the handler and its answers. `proxy` answers
/// /proxy/...; empty = 404. The handler may be called from any thread and never blocks.
net::HttpHandler make_rm_web_handler(const rm::Door& door, WebOptions options,
                                     const ProxyHandler& proxy = {});

/// Everything under /ws/v1/node, /node, /jmx, /conf, /prom, /stacks, /logs.
net::HttpHandler make_nm_web_handler(const nm::NodeReports& reports, WebOptions options,
                                     std::vector<const nm::AuxService*> services = {});

}  // namespace heddle::compat::rest
