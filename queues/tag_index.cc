#include "queues/tag_index.h"

#include <utility>

namespace heddle::queues {

TagSetId TagIndex::make(const AppId& app, Texts tags, Texts app_tags) {
  TagSetId id = static_cast<TagSetId>(sets_.size()) + 1;
  if (free_.empty()) {
    sets_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  sets_[id - 1] = {app, std::move(tags), std::move(app_tags), 1};
  return id;
}

void TagIndex::let_go(TagSetId set) {
  if (--sets_[set - 1].holders > 0) return;
  sets_[set - 1] = {};
  free_.push_back(set);
}

std::vector<TagKey> TagIndex::keys_of(TagSetId id) const {
  const Set& set = sets_[id - 1];
  std::vector<TagKey> keys;
  for (const std::string& tag : *set.tags) {
    keys.push_back({TagOwners::kAll, {}, "", tag});
    keys.push_back({TagOwners::kApp, set.app, "", tag});
    if (!set.app_tags) continue;
    for (const std::string& app_tag : *set.app_tags)
      keys.push_back({TagOwners::kAppTag, {}, app_tag, tag});
  }
  return keys;
}

void TagIndex::count_into(Table& table, TagSetId set, NodeIndex::Slot node, const std::string& rack,
                          int change) const {
  const auto add = [change](auto& counts, const auto& at) {
    const auto place = counts.try_emplace(at, 0).first;
    place->second += change;
    if (place->second == 0) counts.erase(place);
  };
  for (const TagKey& key : keys_of(set)) {
    const auto at = table.try_emplace(key).first;
    add(at->second.nodes, node);
    add(at->second.racks, rack);
    if (at->second.nodes.empty() && at->second.racks.empty()) table.erase(at);
  }
}

}  // namespace heddle::queues
