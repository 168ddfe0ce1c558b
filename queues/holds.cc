#include "queues/holds.h"

namespace heddle::queues {

HoldId HoldTable::add(const Hold& hold, Index& of_app) {
  Index index = kNone;
  if (free_.empty()) {
    index = static_cast<Index>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.hold = hold;
  ++slot.generation;
  slot.app_prev = kNone;
  slot.app_next = hold.app != nullptr ? of_app : kNone;
  if (slot.app_next != kNone) slots_[slot.app_next].app_prev = index;
  if (hold.app != nullptr) of_app = index;
  slot.node_next = slot.node_prev = kNone;
  if (hold.node != NodeIndex::kNone) link_to_node(index, hold.node);
  return id_of(index);
}

HoldTable::Index HoldTable::find(HoldId id) const {
  const auto index = static_cast<Index>(id);
  const auto generation = static_cast<std::uint32_t>(id >> 32);
  return index < slots_.size() && slots_[index].generation == generation && generation % 2 == 1
             ? index
             : kNone;
}

void HoldTable::remove(Index index, Index& of_app) {
  Slot& slot = slots_[index];
  if (slot.hold.app != nullptr) {
    (slot.app_prev != kNone ? slots_[slot.app_prev].app_next : of_app) = slot.app_next;
    if (slot.app_next != kNone) slots_[slot.app_next].app_prev = slot.app_prev;
  }
  if (slot.hold.node != NodeIndex::kNone) {
    (slot.node_prev != kNone ? slots_[slot.node_prev].node_next : on_node_[slot.hold.node]) =
        slot.node_next;
    if (slot.node_next != kNone) slots_[slot.node_next].node_prev = slot.node_prev;
  }
  ++slot.generation;
  free_.push_back(index);
}

void HoldTable::link_to_node(Index index, NodeIndex::Slot node) {
  if (node >= on_node_.size()) on_node_.resize(node + 1, kNone);
  Slot& slot = slots_[index];
  slot.hold.node = node;
  slot.node_prev = kNone;
  slot.node_next = on_node_[node];
  if (slot.node_next != kNone) slots_[slot.node_next].node_prev = index;
  on_node_[node] = index;
}

void HoldTable::forget_app(Index& of_app) {
  for (Index index = of_app; index != kNone; index = slots_[index].app_next)
    slots_[index].hold.app = nullptr;
  of_app = kNone;
}

std::vector<HoldTable::Index> HoldTable::detach_node(NodeIndex::Slot node) {
  std::vector<Index> holds;
  for (Index index = first_on(node); index != kNone; index = slots_[index].node_next) {
    slots_[index].hold.node = NodeIndex::kNone;
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
