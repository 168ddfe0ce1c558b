#include "queues/holds.h"

namespace heddle::queues {

HoldId HoldTable::add(const Hold& hold, Index& of_app) {
  Index index = size_;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else if (size_++ % kChunk == 0) {
    chunks_.push_back(std::make_unique<Chunk>());
  }
  Slot& taken = slot(index);
  taken.hold = hold;
  ++taken.generation;
  Links& mine = links(index);
  mine = Links{};
  if (hold.app != nullptr) {
    mine.app_next = of_app;
    if (of_app != kNone) links(of_app).app_prev = index;
    of_app = index;
  }
  if (hold.node != NodeIndex::kNone) link_to_node(index, hold.node);
  return id_of(index);
}

HoldTable::Index HoldTable::find(HoldId id) const {
  const auto index = static_cast<Index>(id);
  const auto generation = static_cast<std::uint32_t>(id >> 32);
  return index < size_ && slot(index).generation == generation && generation % 2 == 1 ? index
                                                                                      : kNone;
}

void HoldTable::remove(Index index, Index& of_app) {
  Slot& left = slot(index);
  const Links& mine = links(index);
  if (left.hold.app != nullptr) {
    (mine.app_prev != kNone ? links(mine.app_prev).app_next : of_app) = mine.app_next;
    if (mine.app_next != kNone) links(mine.app_next).app_prev = mine.app_prev;
  }
  if (left.hold.node != NodeIndex::kNone) {
    (mine.node_prev != kNone ? links(mine.node_prev).node_next : on_node_[left.hold.node]) =
        mine.node_next;
    if (mine.node_next != kNone) links(mine.node_next).node_prev = mine.node_prev;
  }
  ++left.generation;
  free_.push_back(index);
}

void HoldTable::link_to_node(Index index, NodeIndex::Slot node) {
  if (node >= on_node_.size()) on_node_.resize(node + 1, kNone);
  slot(index).hold.node = node;
  Links& mine = links(index);
  mine.node_prev = kNone;
  mine.node_next = on_node_[node];
  if (mine.node_next != kNone) links(mine.node_next).node_prev = index;
  on_node_[node] = index;
}

void HoldTable::forget_app(Index& of_app) {
  for (Index index = of_app; index != kNone; index = links(index).app_next)
    slot(index).hold.app = nullptr;
  of_app = kNone;
}

std::vector<HoldTable::Index> HoldTable::detach_node(NodeIndex::Slot node) {
  std::vector<Index> holds;
  for (Index index = first_on(node); index != kNone; index = links(index).node_next) {
    slot(index).hold.node = NodeIndex::kNone;
    holds.push_back(index);
  }
  if (node < on_node_.size()) on_node_[node] = kNone;
  return holds;
}

void HoldTable::attach_node(const std::vector<Index>& holds, NodeIndex::Slot node) {
  for (auto index = holds.rbegin(); index != holds.rend(); ++index)
    link_to_node(*index, node);  // the newest first, as it was
}

}  // namespace heddle::queues
