// What is localized on this node, who uses it, and what may go. Bookkeeping only: no file is
// touched here. The agent's thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "nodemanager/api/container.h"

namespace heddle::nm {

/// Equal keys share one copy.
struct ResourceKey {
  Visibility visibility = Visibility::kPublic;
  std::string scope;  // kPrivate: the user; kApplication: "user/application"; else ""
  std::string url;
  std::int64_t timestamp_ms = 0;
  ResourceType type = ResourceType::kFile;
  std::string pattern;
  friend auto operator<=>(const ResourceKey&, const ResourceKey&) = default;
};
ResourceKey key_of(const LocalResource& resource, const std::string& user, const AppId& app);

class ResourceCache {
 public:
  enum class State : std::uint8_t { kFetching, kReady };
  struct Found {
    State state = State::kFetching;
    bool is_new = false;      // the caller fetches it and then calls fetched() or failed()
    std::int64_t number = 0;  // of its directory; from 10 in one sequence
    std::string path;         // kReady: the file or unpacked folder
    std::uint64_t size = 0;
  };

  /// Takes a reference for `user_of`; a second one of the same container counts once.
  Found acquire(const ResourceKey& key, const ContainerId& user_of, Instant now);
  /// What lay there is lost: as if acquired for the first time, whoever else uses it.
  Found renew(const ResourceKey& key);
  /// Whether the fetch of that number is still waited for. Only then comes its result:
  bool is_fetching(const ResourceKey& key, std::int64_t number) const;
  /// Returns those that wait for it. The folder is what eviction deletes.
  std::vector<ContainerId> fetched(const ResourceKey& key, std::string path, std::string folder,
                                   std::uint64_t size);
  std::vector<ContainerId> failed(const ResourceKey& key);
  /// The number of a fetch that nobody waits for any more; it is forgotten.
  std::optional<std::int64_t> release(const ResourceKey& key, const ContainerId& user_of,
                                      Instant now);
  /// Forgets an application's own resources; their folders go with the application's.
  void forget_app(const std::string& scope);

  /// Takes unreferenced PUBLIC and PRIVATE resources out, least recently used first, until the rest
  /// is within `bytes_max`; returns their folders, to be deleted.
  std::vector<std::string> evict(std::uint64_t bytes_max);
  std::uint64_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    State state = State::kFetching;
    std::int64_t number = 0;
    std::string path;
    std::string folder;
    std::uint64_t size = 0;
    Instant last_used;
    std::set<ContainerId> users;
  };
  void drop(std::map<ResourceKey, Entry>::iterator entry);

  std::map<ResourceKey, Entry> entries_;
  std::uint64_t bytes_ = 0;
  std::int64_t next_number_ = 10;
};

}  // namespace heddle::nm
