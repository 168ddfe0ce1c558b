#include "compat/ipc/retry_cache.h"

#include <algorithm>

namespace heddle::compat::ipc {

RetryCache::RetryCache(std::size_t entries_max)
    : entries_max_(entries_max == 0 ? 0 : std::max<std::size_t>(1, entries_max / kShards)) {}

std::string RetryCache::key(std::string_view client_id, std::int32_t call_id, std::string_view user,
                            std::string_view protocol, std::string_view method) {
  std::string key;
  key.reserve(client_id.size() + 4 + user.size() + protocol.size() + method.size() + 2);
  append_int32(key, call_id);
  key += client_id;
  key += user;
  key += '\0';
  key += protocol;
  key += '\0';
  key += method;
  return key;
}

RetryCache::Shard& RetryCache::shard_of(const std::string& key) {
  return shards_[std::hash<std::string>()(key) % kShards];
}

bool RetryCache::begin(const std::string& key, bool is_retry, Waiter waiter) {
  if (entries_max_ == 0) return true;
  Shard& shard = shard_of(key);
  AnswerPtr known;
  {
    const std::lock_guard lock(shard.mutex);
    const auto [found, is_new] = shard.entries.try_emplace(key);
    if (is_new) return true;
    // The same id without a retry count is another call: the counter went round.
    if (!is_retry) return true;
    known = found->second.answer;
    if (known == nullptr) {
      found->second.waiters.push_back(std::move(waiter));
      return false;
    }
  }
  waiter(known);
  return false;
}

void RetryCache::finish(const std::string& key, const AnswerPtr& answer) {
  if (entries_max_ == 0) return;
  Shard& shard = shard_of(key);
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(key);
    if (found == shard.entries.end()) return;
    waiters.swap(found->second.waiters);
    if (answer->success && answer->body.size() <= kAnswerMax) {
      keep(shard, key, answer);
    } else if (found->second.answer == nullptr) {
      shard.entries.erase(found);
    }
  }
  for (const auto& waiter : waiters)
    waiter(answer);
}

void RetryCache::keep(Shard& shard, const std::string& key, const AnswerPtr& answer) {
  Entry& entry = shard.entries.find(key)->second;
  if (entry.answer != nullptr) {
    shard.bytes -= entry.answer->body.size();
  } else {
    shard.kept.push_back(key);
  }
  entry.answer = answer;
  shard.bytes += answer->body.size();
  while (shard.kept.size() > entries_max_ || shard.bytes > kTotalMax / kShards) {
    const auto oldest = shard.entries.find(shard.kept.front());
    shard.bytes -= oldest->second.answer->body.size();
    shard.entries.erase(oldest);
    shard.kept.pop_front();
  }
}

std::size_t RetryCache::size() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace heddle::compat::ipc
