#include "nodemanager/localize/cache.h"

#include <algorithm>

namespace heddle::nm {

ResourceKey key_of(const LocalResource& resource, const std::string& user, const AppId& app) {
  ResourceKey key;
  key.visibility = resource.visibility;
  key.url = resource.url;
  key.timestamp_ms = resource.timestamp_ms;
  key.type = resource.type;
  key.pattern = resource.pattern;
  if (resource.visibility == Visibility::kPrivate) key.scope = user;
  if (resource.visibility == Visibility::kApplication) key.scope = user + "/" + to_string(app);
  return key;
}

ResourceCache::Found ResourceCache::acquire(const ResourceKey& key, const ContainerId& user_of,
                                            Instant now) {
  const auto [found, is_new] = entries_.try_emplace(key);
  Entry& entry = found->second;
  if (is_new) entry.number = next_number_++;
  entry.users.insert(user_of);
  entry.last_used = now;
  return {entry.state, is_new, entry.number, entry.path, entry.size};
}

ResourceCache::Found ResourceCache::renew(const ResourceKey& key) {
  Entry& entry = entries_.at(key);
  bytes_ -= entry.size;
  entry.state = State::kFetching;
  entry.number = next_number_++;
  entry.path.clear();
  entry.folder.clear();
  entry.size = 0;
  return {entry.state, true, entry.number, "", 0};
}

bool ResourceCache::is_fetching(const ResourceKey& key, std::int64_t number) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.state == State::kFetching &&
         found->second.number == number;
}

std::vector<ContainerId> ResourceCache::fetched(const ResourceKey& key, std::string path,
                                                std::string folder, std::uint64_t size) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  Entry& entry = found->second;
  entry.state = State::kReady;
  entry.path = std::move(path);
  entry.folder = std::move(folder);
  entry.size = size;
  bytes_ += size;
  return {entry.users.begin(), entry.users.end()};
}

std::vector<ContainerId> ResourceCache::failed(const ResourceKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  std::vector<ContainerId> waiting(found->second.users.begin(), found->second.users.end());
  drop(found);
  return waiting;
}

std::optional<std::int64_t> ResourceCache::release(const ResourceKey& key,
                                                   const ContainerId& user_of, Instant now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (entry.users.erase(user_of) > 0) entry.last_used = now;
  if (entry.state == State::kReady || !entry.users.empty()) return std::nullopt;
  const std::int64_t number = entry.number;
  drop(found);
  return number;
}

void ResourceCache::forget_app(const std::string& scope) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    const ResourceKey& key = entry->first;
    if (key.visibility == Visibility::kApplication && key.scope == scope) drop(entry);
    entry = next;
  }
}

std::vector<std::string> ResourceCache::evict(std::uint64_t bytes_max) {
  std::vector<std::map<ResourceKey, Entry>::iterator> idle;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const bool can_go = entry->second.state == State::kReady && entry->second.users.empty() &&
                        entry->first.visibility != Visibility::kApplication;
    if (can_go) idle.push_back(entry);
  }
  std::ranges::sort(idle, [](const auto& a, const auto& b) {
    return std::tie(a->second.last_used, a->first) < std::tie(b->second.last_used, b->first);
  });
  std::vector<std::string> folders;
  for (const auto& entry : idle) {
    if (bytes_ <= bytes_max) break;
    folders.push_back(entry->second.folder);
    drop(entry);
  }
  return folders;
}

void ResourceCache::drop(std::map<ResourceKey, Entry>::iterator entry) {
  bytes_ -= entry->second.size;
  entries_.erase(entry);
}

}  // namespace heddle::nm
