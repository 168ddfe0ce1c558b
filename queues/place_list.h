// Siblings in serving order. Internal to queues/.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace heddle::queues {

/// Where a child stands among its siblings; smaller is served first. No two siblings are equal.
struct Place {
  std::int64_t band = 0;  // a whole band goes before the next
  double share = 0;
  std::int64_t order = 0;
  friend bool operator==(const Place&, const Place&) = default;
  friend bool operator<(const Place& a, const Place& b) {
    if (a.band != b.band) return a.band < b.band;
    return a.share != b.share ? a.share < b.share : a.order < b.order;
  }
};

/// Children by place. Most parents have a handful, and these move all the time: they lie in one
/// sorted row, where a move shifts a few of them; a single one lies in the list itself, so that
/// whoever walks down fetches no other line of memory for it. Above kFewMax they are in a tree,
/// until they are half of that again.
template <class Child>
class PlaceList {
 public:
  struct Entry {
    Place place;
    Child* child = nullptr;
  };
  static constexpr std::size_t kFewMax = 64;

  bool empty() const { return few_.empty() && !many_; }
  std::size_t size() const { return many_ ? many_->size() : few_.size(); }
  Entry front() const {  // not of an empty one, nor back()
    return many_ ? Entry{many_->begin()->first, many_->begin()->second} : few_.front();
  }
  Entry back() const {
    return many_ ? Entry{many_->rbegin()->first, many_->rbegin()->second} : few_.back();
  }
  bool contains(const Place& place) const {
    if (many_) return many_->contains(place);
    const auto at = find(place);
    return at != few_.end() && at->place == place;
  }
  /// Nothing happens if the place is taken.
  void insert(const Place& place, Child* child) {
    if (many_) {
      many_->emplace(place, child);
      return;
    }
    const auto at = find(place);
    if (at != few_.end() && at->place == place) return;
    few_.insert(at, Entry{place, child});
    if (few_.size() > kFewMax) grow();
  }
  void erase(const Place& place) {
    if (many_) {
      many_->erase(place);
      if (many_->size() <= kFewMax / 2) shrink();
      return;
    }
    const auto at = find(place);
    if (at != few_.end() && at->place == place) few_.erase(at);
  }
  /// Whoever is at `from` is at `to` now, where nobody is.
  void move(const Place& from, const Place& to) {
    if (many_) {
      auto entry = many_->extract(from);
      if (entry.empty()) return;
      entry.key() = to;
      many_->insert(std::move(entry));
      return;
    }
    const auto old = find(from);
    if (old == few_.end() || !(old->place == from)) return;
    const Entry moved{to, old->child};
    auto at = old;
    for (; at != few_.begin() && to < std::prev(at)->place; --at)
      *at = *std::prev(at);
    for (; at + 1 != few_.end() && (at + 1)->place < to; ++at)
      *at = *(at + 1);
    *at = moved;
  }
  /// Copies of all, in order.
  std::vector<Entry> entries() const {
    if (!many_) return {few_.begin(), few_.end()};
    std::vector<Entry> all;
    for (const auto& [place, child] : *many_)
      all.push_back({place, child});
    return all;
  }

 private:
  auto find(const Place& place) { return std::lower_bound(few_.begin(), few_.end(), place, less); }
  auto find(const Place& place) const {
    return std::lower_bound(few_.begin(), few_.end(), place, less);
  }
  static bool less(const Entry& entry, const Place& place) { return entry.place < place; }
  void grow() {
    many_ = std::make_unique<std::map<Place, Child*>>();
    for (const Entry& entry : few_)
      many_->emplace_hint(many_->end(), entry.place, entry.child);
    few_.clear();
    few_.shrink_to_fit();
  }
  void shrink() {
    for (const auto& [place, child] : *many_)
      few_.push_back({place, child});
    many_.reset();
  }

  boost::container::small_vector<Entry, 1> few_;
  std::unique_ptr<std::map<Place, Child*>> many_;
};

}  // namespace heddle::queues
