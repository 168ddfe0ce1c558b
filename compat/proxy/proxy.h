// /proxy/<application>/...: passes requests to the application's ApplicationMaster.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/net/http.h"
#include "compat/proxy/workers.h"
#include "rm/api/reports.h"

namespace heddle::compat::proxy {

struct ProxyLimits {
  std::size_t threads = 16;                  // calls at the same time
  std::size_t same_app = 4;                  // of these to one application
  std::size_t queue_max = 512;               // waiting for a thread; else 503
  std::uint64_t window = 256_KiB;            // bytes on their way to a client before we wait for it
  std::chrono::seconds client_patience{60};  // a client that takes nothing is given up
  Duration connect_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);
};

/// Where calls wait for their clients, until the proxy stops.
class CallGate;

/// Any thread; never blocks the caller. `reports` must outlive it. Destroying it breaks off the
/// calls that run; those that wait for an ApplicationMaster end by their timeouts at the latest.
class WebProxy {
 public:
  WebProxy(const rm::Reports& reports, ProxyLimits limits);
  ~WebProxy();

  /// `user`: who asks, told to the ApplicationMaster; "" = nobody known.
  void handle(net::HttpRequest request, std::string user,
              const std::shared_ptr<net::HttpResponder>& responder);

 private:
  const rm::Reports& reports_;
  const ProxyLimits limits_;
  const std::shared_ptr<CallGate> gate_;
  Workers workers_;  // last: its threads use the others
};

}  // namespace heddle::compat::proxy
