// The NM token keys under which attempts came to this node: an attempt may use its token for as
// long as it lives, though the keys roll. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "nodemanager/api/door.h"
#include "security/token_keys.h"

namespace heddle::compat::node {

class AttemptKeys {
 public:
  /// Keeps the keys that are valid now for an attempt that proved itself with one of them or with
  /// one that is kept; these stay. `reports` tells which attempts may be forgotten.
  void remember(const AttemptId& attempt, const security::TokenKeys& keys,
                const ::heddle::nm::NodeReports& reports);
  std::optional<security::MasterKey> find(const AttemptId& attempt, std::int32_t key_id) const;
  std::size_t size() const;

 private:
  void forget_gone(const ::heddle::nm::NodeReports& reports);

  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<AttemptId, std::vector<security::MasterKey>> keys_;
  std::size_t clean_at_ = 1'000;
};

}  // namespace heddle::compat::node
