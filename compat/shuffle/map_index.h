// Index files of map outputs, and the cache of them.
// Source: wire facts "container", section 6.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heddle::compat::shuffle {

/// Where the segment of one reducer lies in file.out.
struct SegmentPlace {
  std::int64_t start = 0;
  std::int64_t raw_length = 0;   // before compression
  std::int64_t part_length = 0;  // on disk
};

/// One entry a reducer. kInvalidArgument: wrong size, wrong checksum, or a negative number.
Result<std::vector<SegmentPlace>> parse_index_file(std::string_view bytes);

struct MapIndex {
  std::vector<SegmentPlace> segments;
  std::string data_dir;  // the local dir that holds file.out

  std::size_t bytes() const {
    return sizeof(*this) + segments.size() * sizeof(SegmentPlace) + data_dir.size();
  }
};

/// The least recently used ones go when the bytes are above the limit. Any thread.
class IndexCache {
 public:
  explicit IndexCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::shared_ptr<const MapIndex> find(const std::string& job, const std::string& attempt);
  void insert(const std::string& job, const std::string& attempt,
              std::shared_ptr<const MapIndex> index);
  void erase(const std::string& job, const std::string& attempt);
  void erase_job(const std::string& job);
  std::size_t bytes() const;

 private:
  using Key = std::pair<std::string, std::string>;  // job, attempt
  struct Entry {
    std::shared_ptr<const MapIndex> index;
    std::list<Key>::iterator used;
  };
  using Entries = std::map<Key, Entry>;
  static std::size_t cost(const Key& key, const MapIndex& index);
  Entries::iterator drop(Entries::iterator entry);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  Entries entries_;        // guarded by mutex_, as all below
  std::list<Key> by_use_;  // the most recent first
  std::size_t bytes_ = 0;
};

}  // namespace heddle::compat::shuffle
