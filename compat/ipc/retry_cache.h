// Answers kept so that a call that a client sends again is not executed again. A retry of a call
// that is still running waits for its answer. Only successes are kept: a client sends a call again
// after a RetriableException or a StandbyException because it wants it executed.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "compat/ipc/server.h"
#include "compat/ipc/wire.h"

namespace heddle::compat::ipc {

/// The outcome of a call, ready for the wire but for the header.
struct Answer {
  std::string body;  // delimited; of a success
  bool success = false;
  JavaException exception;  // otherwise
  hc::RpcResponseHeaderProto::RpcErrorCodeProto detail =
      hc::RpcResponseHeaderProto::ERROR_APPLICATION;
};
using AnswerPtr = std::shared_ptr<const Answer>;

/// Any thread.
class RetryCache {
 public:
  static constexpr std::size_t kAnswerMax = 64_KiB;  // a larger one is not kept
  static constexpr std::size_t kTotalMax = 64_MiB;   // bytes of all answers

  explicit RetryCache(std::size_t entries_max);

  /// Who called what: an answer never goes to another user or another method.
  static std::string key(std::string_view client_id, std::int32_t call_id, std::string_view user,
                         std::string_view protocol, std::string_view method);

  using Waiter = std::function<void(AnswerPtr)>;
  /// True: the caller runs the call and reports with finish(). False: `waiter` gets the answer of
  /// the first execution, now (inside this call) or when it ends.
  bool begin(const std::string& key, bool is_retry, Waiter waiter);
  void finish(const std::string& key, const AnswerPtr& answer);

  std::size_t size() const;

 private:
  struct Entry {
    AnswerPtr answer;  // null while it runs
    std::vector<Waiter> waiters;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::deque<std::string> kept;  // oldest first
    std::size_t bytes = 0;
  };
  static constexpr std::size_t kShards = 8;
  Shard& shard_of(const std::string& key);
  void keep(Shard& shard, const std::string& key, const AnswerPtr& answer);

  const std::size_t entries_max_;  // per shard
  std::array<Shard, kShards> shards_;
};

}  // namespace heddle::compat::ipc
