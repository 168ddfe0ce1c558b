// Allocation tags of running containers, counted for each node and rack. Internal to queues/.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "queues/constraints.h"
#include "queues/node_index.h"

namespace heddle::queues {

/// Tags of the containers of one application; 0 = none.
using TagSetId = std::uint32_t;

/// Where a tag is counted. `owners` is kAll, kApp or kAppTag.
struct TagKey {
  TagOwners owners = TagOwners::kAll;
  AppId app;
  std::string app_tag;
  std::string tag;
  friend auto operator<=>(const TagKey&, const TagKey&) = default;
};

class TagIndex {
 public:
  using Texts = std::shared_ptr<const std::vector<std::string>>;
  struct Counts {
    std::map<NodeIndex::Slot, std::int64_t> nodes;
    std::map<std::string, std::int64_t, std::less<>> racks;
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  using Table = std::map<TagKey, Counts>;

  /// A set that lives as long as somebody holds it; held once by the caller.
  TagSetId make(const AppId& app, Texts tags, Texts app_tags);
  void hold(TagSetId set) { ++sets_[set - 1].holders; }
  void let_go(TagSetId set);
  const Texts& tags_of(TagSetId set) const { return sets_[set - 1].tags; }

  /// A container with these tags starts there (1), or ends (-1).
  void count(TagSetId set, NodeIndex::Slot node, const std::string& rack, int change) {
    count_into(table_, set, node, rack, change);
  }
  void count_into(Table& table, TagSetId set, NodeIndex::Slot node, const std::string& rack,
                  int change) const;
  /// nullptr: there are none.
  const Counts* find(const TagKey& key) const {
    const auto found = table_.find(key);
    return found == table_.end() ? nullptr : &found->second;
  }
  /// Every key that a container with this set is counted under.
  std::vector<TagKey> keys_of(TagSetId set) const;
  const Table& table() const { return table_; }

 private:
  struct Set {
    AppId app;
    Texts tags;
    Texts app_tags;
    std::int64_t holders = 0;
  };
  std::vector<Set> sets_;
  std::vector<TagSetId> free_;
  Table table_;
};

}  // namespace heddle::queues
