// Siblings in serving order. Internal to queues/.
#pragma once

#include <algorithm>
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
/// sorted row, where a move shifts a few of them. Above kFewMax they are in a tree, until they are
/// half of that again.
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
    old->place = to;
    auto at = old;
    while (at != few_.begin() && to < std::prev(at)->place)
      --at;
    if (at != old) {
      std::rotate(at, old, old + 1);
      return;
    }
    while (at + 1 != few_.end() && (at + 1)->place < to)
      ++at;
    std::rotate(old, old + 1, at + 1);
  }
  /// Copies of all, in order.
  std::vector<Entry> entries() const {
    if (!many_) return few_;
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
    few_ = {};
  }
  void shrink() {
    few_ = entries();
    many_.reset();
  }

  std::vector<Entry> few_;
  std::unique_ptr<std::map<Place, Child*>> many_;
};

}  // namespace heddle::queues
