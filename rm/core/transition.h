// What the four state tables share. A table is data: one row per (state, event), checked at compile
// time, walked by a test, printed by `tools/print-states`.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace heddle::rm {

template <class State, class Event, class Effect>
struct Transition {
  State from;
  Event event;
  State to;
  Effect effect;
};

/// The row for (from, event), or nullptr: an event that state ignores. Never throws.
template <class Row, std::size_t N, class State, class Event>
constexpr const Row* find_transition(const std::array<Row, N>& table, State from, Event event) {
  for (const Row& row : table) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

/// No (state, event) pair twice.
template <class Row, std::size_t N>
constexpr bool is_deterministic(const std::array<Row, N>& table) {
  return std::ranges::all_of(
      table, [&](const Row& row) { return find_transition(table, row.from, row.event) == &row; });
}

}  // namespace heddle::rm
