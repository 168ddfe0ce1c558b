// Containers that hold room: which application on which node. Internal to queues/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/resources.h"
#include "queues/node_index.h"
#include "queues/types.h"

namespace heddle::queues {

struct App;

struct Hold {
  App* app = nullptr;                         // nullptr: it is gone, the room is not free yet
  NodeIndex::Slot node = NodeIndex::kNone;    // kNone: the node is gone
  PartitionId partition = kDefaultPartition;  // it is charged to
  Resources size;
  bool is_am = false;
  bool marked = false;     // has to go, for a claim
  bool bare = false;       // holds nothing but its tags: its container counts elsewhere
  std::uint32_t tags = 0;  // its allocation tags in TagIndex; 0: none
  std::int64_t started_ms = 0;
  std::uint64_t claim = 0;     // for which it is marked
  std::int64_t warned_ms = 0;  // since when
  std::uint64_t ticket = 0;    // of the Growth that it waits for
};

/// All of them, with a list for each application and for each node, the newest first. Ids name one
/// container for ever: that of a container that ended finds nothing.
class HoldTable {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = static_cast<Index>(-1);

  HoldId add(const Hold& hold, Index& of_app);
  /// kNone: ended, or never there.
  Index find(HoldId id) const;
  const Hold& at(Index index) const { return slot(index).hold; }
  void set_partition(Index index, PartitionId partition) { slot(index).hold.partition = partition; }
  void mark(Index index, bool marked) { slot(index).hold.marked = marked; }
  void warn(Index index, std::uint64_t claim, std::int64_t now_ms) {
    slot(index).hold.claim = claim;
    slot(index).hold.warned_ms = now_ms;
  }
  HoldId id_of(Index index) const { return (HoldId{slot(index).generation} << 32) | index; }
  void resize(Index index, const Resources& size) { slot(index).hold.size = size; }
  void set_ticket(Index index, std::uint64_t ticket) { slot(index).hold.ticket = ticket; }
  void remove(Index index,
              Index& of_app);  // `of_app` is not looked at once the application is gone

  Index first_on(NodeIndex::Slot node) const {
    return node < on_node_.size() ? on_node_[node] : kNone;
  }
  Index next_of_app(Index index) const { return links(index).app_next; }
  Index next_on_node(Index index) const { return links(index).node_next; }

  /// The application is about to go: O(its containers).
  void forget_app(Index& of_app);
  /// The node is about to go: its containers are on none. The list is given to attach_node() when
  /// it comes back at another slot.
  std::vector<Index> detach_node(NodeIndex::Slot node);
  void attach_node(const std::vector<Index>& holds, NodeIndex::Slot node);

 private:
  struct Slot {
    Hold hold;
    std::uint32_t generation = 0;  // even: free
  };
  // Apart from the holds: the neighbours of a hold that comes or goes are anywhere, and only their
  // links are touched.
  struct Links {
    Index app_next = kNone, app_prev = kNone;
    Index node_next = kNone, node_prev = kNone;
  };
  // Chunks, since a row of a million would have to be copied whole when it grows.
  static constexpr Index kChunk = 1024;
  struct Chunk {
    std::array<Slot, kChunk> slots;
    std::array<Links, kChunk> links;
  };
  Slot& slot(Index index) { return chunks_[index / kChunk]->slots[index % kChunk]; }
  const Slot& slot(Index index) const { return chunks_[index / kChunk]->slots[index % kChunk]; }
  Links& links(Index index) { return chunks_[index / kChunk]->links[index % kChunk]; }
  const Links& links(Index index) const { return chunks_[index / kChunk]->links[index % kChunk]; }
  void link_to_node(Index index, NodeIndex::Slot node);

  std::vector<std::unique_ptr<Chunk>> chunks_;
  Index size_ = 0;
  std::vector<Index> free_;
  std::vector<Index> on_node_;  // by node slot
};

}  // namespace heddle::queues
