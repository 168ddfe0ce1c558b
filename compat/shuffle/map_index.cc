#include "compat/shuffle/map_index.h"

#include <fmt/core.h>
#include <zlib.h>

namespace heddle::compat::shuffle {
namespace {

constexpr std::size_t kEntryBytes = 24;
constexpr std::size_t kChecksumBytes = 8;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, 8))
    value = (value << 8) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

}  // namespace

Result<std::vector<SegmentPlace>> parse_index_file(std::string_view bytes) {
  if (bytes.size() < kChecksumBytes || (bytes.size() - kChecksumBytes) % kEntryBytes != 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("an index file of {} bytes: expected a multiple of {} and {} more",
                            bytes.size(), kEntryBytes, kChecksumBytes));
  }
  const std::string_view entries = bytes.substr(0, bytes.size() - kChecksumBytes);
  const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(entries.data()), entries.size());
  if (big_endian(bytes.substr(entries.size())) != static_cast<std::int64_t>(checksum)) {
    return fail(ErrorCode::kInvalidArgument, "an index file has a wrong checksum");
  }
  std::vector<SegmentPlace> segments;
  segments.reserve(entries.size() / kEntryBytes);
  for (std::size_t at = 0; at < entries.size(); at += kEntryBytes) {
    const SegmentPlace place{.start = big_endian(entries.substr(at)),
                             .raw_length = big_endian(entries.substr(at + 8)),
                             .part_length = big_endian(entries.substr(at + 16))};
    if (place.start < 0 || place.raw_length < 0 || place.part_length < 0 ||
        place.start > INT64_MAX - place.part_length) {
      return fail(ErrorCode::kInvalidArgument, "an index file has an impossible segment");
    }
    segments.push_back(place);
  }
  return segments;
}

std::size_t IndexCache::cost(const Key& key, const MapIndex& index) {
  constexpr std::size_t kNodes = 200;  // of the map and the list, about
  return index.bytes() + 2 * (key.first.size() + key.second.size()) + kNodes;
}

std::shared_ptr<const MapIndex> IndexCache::find(const std::string& job,
                                                 const std::string& attempt) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({job, attempt});
  if (found == entries_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second.used);
  return found->second.index;
}

void IndexCache::insert(const std::string& job, const std::string& attempt,
                        std::shared_ptr<const MapIndex> index) {
  const Key key{job, attempt};
  const std::size_t bytes = cost(key, *index);
  if (bytes > bytes_max_) return;
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) drop(found);
  while (bytes_ + bytes > bytes_max_)
    drop(entries_.find(by_use_.back()));
  by_use_.push_front(key);
  entries_.emplace(key, Entry{std::move(index), by_use_.begin()});
  bytes_ += bytes;
}

IndexCache::Entries::iterator IndexCache::drop(Entries::iterator entry) {
  bytes_ -= cost(entry->first, *entry->second.index);
  by_use_.erase(entry->second.used);
  return entries_.erase(entry);
}

void IndexCache::erase(const std::string& job, const std::string& attempt) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find({job, attempt}); found != entries_.end()) drop(found);
}

void IndexCache::erase_job(const std::string& job) {
  const std::lock_guard lock(mutex_);
  auto entry = entries_.lower_bound({job, ""});
  while (entry != entries_.end() && entry->first.first == job)
    entry = drop(entry);
}

std::size_t IndexCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace heddle::compat::shuffle
