#include "compat/records/host_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace heddle::compat {
namespace {

constexpr std::size_t kWaitingMax = 10'000;
constexpr std::size_t kHostsMax = 200'000;
constexpr int kThreads = 8;

}  // namespace

HostResolver::HostResolver(Lookup lookup) : lookup_(std::move(lookup)) {
  for (int i = 0; i < kThreads; ++i)
    threads_.emplace_back([this] { run(); });
}

HostResolver::~HostResolver() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

bool HostResolver::is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

std::optional<std::string> HostResolver::known(const std::string& host) const {
  if (is_numeric(host)) return host;
  const std::scoped_lock lock(mutex_);
  const auto found = addresses_.find(host);
  if (found == addresses_.end()) return std::nullopt;
  return found->second;
}

void HostResolver::remember(const std::string& host, std::string address) {
  const std::scoped_lock lock(mutex_);
  if (addresses_.size() >= kHostsMax) addresses_.clear();
  addresses_.insert_or_assign(host, std::move(address));
}

void HostResolver::resolve(const std::string& host, std::string fallback,
                           std::function<void()> done) {
  if (is_numeric(host)) return done();
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < kWaitingMax && !stopping_) {
      waiting_.push_back({host, std::move(fallback), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  remember(host, std::move(fallback));
  done();
}

void HostResolver::run() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    auto address = lookup_(task.host);
    remember(task.host, address ? *std::move(address) : std::move(task.fallback));
    task.done();
  }
}

std::optional<std::string> HostResolver::system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  // Java prefers IPv4, and clients compare the texts.
  const addrinfo* chosen = list;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      chosen = entry;
      break;
    }
  }
  std::array<char, NI_MAXHOST> text{};
  const int failed = chosen == nullptr
                         ? EAI_NONAME
                         : getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text.data(),
                                       text.size(), nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(list);
  if (failed != 0) return std::nullopt;
  return std::string(text.data());
}

}  // namespace heddle::compat
