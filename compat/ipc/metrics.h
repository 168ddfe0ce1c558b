// What an RPC server counts. Any thread may read while it serves.
#pragma once

#include <atomic>
#include <cstdint>

namespace heddle::compat::ipc {

struct ServerMetrics {
  std::atomic<std::uint64_t> received_bytes{0};
  std::atomic<std::uint64_t> sent_bytes{0};
  std::atomic<std::uint64_t> calls{0};          // handed to a method
  std::atomic<std::uint64_t> answered{0};       // of these, answered in any way
  std::atomic<std::uint64_t> successes{0};      // of these, without an exception
  std::atomic<std::uint64_t> processing_us{0};  // from the call to its answer, of all answered
  std::atomic<std::uint64_t> logins{0};         // proven by a token or taken as they say
  std::atomic<std::uint64_t> failed_logins{0};  // refused in the negotiation
  std::atomic<std::uint64_t> contexts{0};       // connections that named protocol and user
  std::atomic<std::uint64_t> dropped{0};        // ended by us: bad bytes, no progress, no login
  std::atomic<std::uint64_t> broken_off{0};     // ended by the peer in the middle of a frame
  std::atomic<std::int64_t> open_connections{0};
};

}  // namespace heddle::compat::ipc
