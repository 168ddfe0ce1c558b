#include "compat/nm/attempt_keys.h"

#include <algorithm>

namespace heddle::compat::node {

void AttemptKeys::remember(const AttemptId& attempt, const security::TokenKeys& keys,
                           const ::heddle::nm::NodeReports& reports) {
  const std::scoped_lock lock(mutex_);
  if (keys_.size() >= clean_at_) forget_gone(reports);
  std::vector<security::MasterKey>& kept = keys_[attempt];  // one more with each roll of the keys
  const auto keep = [&kept](security::MasterKey key) {
    const auto same = [&](const security::MasterKey& other) { return other.id == key.id; };
    if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(std::move(key));
  };
  keep(keys.current());
  if (auto previous = keys.previous()) keep(*std::move(previous));
}

void AttemptKeys::forget_gone(const ::heddle::nm::NodeReports& reports) {
  std::set<AppId> here;
  for (const auto& app : reports.apps())
    here.insert(app.id);
  std::erase_if(keys_, [&](const auto& entry) { return !here.contains(entry.first.app); });
  clean_at_ = std::max<std::size_t>(1'000, keys_.size() * 2);
}

std::optional<security::MasterKey> AttemptKeys::find(const AttemptId& attempt,
                                                     std::int32_t key_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = keys_.find(attempt);
  if (found == keys_.end()) return std::nullopt;
  for (const security::MasterKey& key : found->second) {
    if (key.id == key_id) return key;
  }
  return std::nullopt;
}

std::size_t AttemptKeys::size() const {
  const std::scoped_lock lock(mutex_);
  return keys_.size();
}

}  // namespace heddle::compat::node
