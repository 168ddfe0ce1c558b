// Addresses of node hosts for the service texts of tokens. Asked once per host, on threads of its
// own, since the system's resolver blocks; remembered until the host registers again. One host
// whose name server is silent does not hold up the others.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace heddle::compat {

class HostResolver {
 public:
  /// The numeric address of a host; nullopt = does not resolve. May block.
  using Lookup = std::function<std::optional<std::string>(const std::string& host)>;

  explicit HostResolver(Lookup lookup = system_lookup);
  ~HostResolver();
  HostResolver(const HostResolver&) = delete;
  HostResolver& operator=(const HostResolver&) = delete;

  /// The remembered address, or the host itself when it is numeric. Any thread, never blocks.
  std::optional<std::string> known(const std::string& host) const;
  /// Finds the address of `host` and remembers it, `fallback` when it does not resolve. `done` runs
  /// once, on a thread of the resolver, or at once when too many wait (then `fallback` is used).
  void resolve(const std::string& host, std::string fallback, std::function<void()> done);

  static std::optional<std::string> system_lookup(const std::string& host);
  static bool is_numeric(const std::string& host);

 private:
  struct Task {
    std::string host;
    std::string fallback;
    std::function<void()> done;
  };
  void run();
  void remember(const std::string& host, std::string address);

  const Lookup lookup_;
  mutable std::mutex mutex_;  // guards all below but the threads
  std::condition_variable wake_;
  std::unordered_map<std::string, std::string> addresses_;
  std::deque<Task> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace heddle::compat
