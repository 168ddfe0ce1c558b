// A blocking socket that sends bytes as told, for tests of what comes back.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::net {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    const timeval longest{.tv_sec = 30, .tv_usec = 0};  // a hang becomes a failure
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish() { ::shutdown(socket_, SHUT_WR); }

  /// Whether something came, or the end, within `milliseconds`.
  bool answered_within(int milliseconds) const {
    pollfd poll{.fd = socket_, .events = POLLIN, .revents = 0};
    return ::poll(&poll, 1, milliseconds) > 0;
  }
  /// One more piece; false at the end or on an error.
  bool receive_some() {
    char buffer[64 * 1024];
    const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  /// Everything up to the end of the connection.
  std::string receive_all() {
    while (receive_some()) {
    }
    return std::exchange(pending_, {});
  }
  /// Up to and with the next occurrence of `end`.
  std::string receive_until(std::string_view end) {
    std::size_t at = 0;
    while ((at = pending_.find(end)) == std::string::npos) {
      if (!receive_some()) return std::exchange(pending_, {});
    }
    std::string taken = pending_.substr(0, at + end.size());
    pending_.erase(0, taken.size());
    return taken;
  }
  std::string receive_bytes(std::size_t count) {
    while (pending_.size() < count && receive_some()) {
    }
    std::string taken = pending_.substr(0, count);
    pending_.erase(0, taken.size());
    return taken;
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string pending_;
};

}  // namespace heddle::net
