#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/net/plain_http.h"

// The answer lies in the socket's buffer before it is read; the first byte chooses the call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 64 * 1024) return 0;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) return 0;
  if (::send(ends[1], data + 1, size - 1, MSG_NOSIGNAL) == static_cast<ssize_t>(size - 1)) {
    ::shutdown(ends[1], SHUT_WR);
    heddle::net::HttpCall call;
    call.method = (data[0] & 1) != 0 ? "HEAD" : "GET";
    call.url = "http://localhost:1/";
    call.body_max = (data[0] & 2) != 0 ? 16 : 1024 * 1024;
    call.idle_timeout = std::chrono::milliseconds(1);
    static_cast<void>(heddle::net::read_plain_response(ends[0], call));
  }
  ::close(ends[0]);
  ::close(ends[1]);
  return 0;
}
