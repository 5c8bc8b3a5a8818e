// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace maia::engine {

/// Where a table stands at one destination. The numbers are kept at destinations and never change.
enum class TableState : std::uint8_t {
  waiting = 0,      ///< its rows are to be read
  snapshot = 1,     ///< its rows are being read
  catching_up = 2,  ///< its rows are in; it has not met the other tables, or passed its snapshot, yet
  streaming = 3,
  paused = 4,       ///< somebody asked for it; the journal keeps its changes
  quarantined = 5,  ///< it failed while the others went on; the journal keeps its changes
  removed = 6,      ///< no longer selected at the source; its rows stay as they are
};
inline constexpr std::array kTableStates = {
    TableState::waiting, TableState::snapshot,    TableState::catching_up, TableState::streaming,
    TableState::paused,  TableState::quarantined, TableState::removed};
std::string_view to_string(TableState state);

/// What can happen to it.
enum class TableEvent : std::uint8_t {
  read,    ///< reading its rows begins, or goes on after an interruption
  copied,  ///< all its rows are in
  met,     ///< it has met the other tables and passed its snapshot
  pause,   ///< somebody asks
  resume,  ///< somebody asks, and all its rows are in
  reread,  ///< its rows are to be read: for the first time, again, or the rest of them
  fail,    ///< an error that belongs to this table alone
  remove,  ///< it is no longer selected at the source
};
inline constexpr std::array kTableEvents = {TableEvent::read,  TableEvent::copied, TableEvent::met,
                                            TableEvent::pause, TableEvent::resume, TableEvent::reread,
                                            TableEvent::fail,  TableEvent::remove};
std::string_view to_string(TableEvent event);

struct TableTransition {
  TableState from;
  TableEvent event;
  TableState to;
};

/// Every transition that there is; what is not here does not happen. docs/explanation/table-states.md shows
/// the same table.
inline constexpr TableTransition kTableTransitions[] = {
    {TableState::waiting, TableEvent::read, TableState::snapshot},
    {TableState::waiting, TableEvent::pause, TableState::paused},
    {TableState::waiting, TableEvent::reread, TableState::waiting},
    {TableState::waiting, TableEvent::fail, TableState::quarantined},
    {TableState::waiting, TableEvent::remove, TableState::removed},

    {TableState::snapshot, TableEvent::read, TableState::snapshot},
    {TableState::snapshot, TableEvent::copied, TableState::catching_up},
    {TableState::snapshot, TableEvent::pause, TableState::paused},
    {TableState::snapshot, TableEvent::reread, TableState::waiting},
    {TableState::snapshot, TableEvent::fail, TableState::quarantined},
    {TableState::snapshot, TableEvent::remove, TableState::removed},

    {TableState::catching_up, TableEvent::met, TableState::streaming},
    {TableState::catching_up, TableEvent::pause, TableState::paused},
    {TableState::catching_up, TableEvent::reread, TableState::waiting},
    {TableState::catching_up, TableEvent::fail, TableState::quarantined},
    {TableState::catching_up, TableEvent::remove, TableState::removed},

    {TableState::streaming, TableEvent::pause, TableState::paused},
    {TableState::streaming, TableEvent::reread, TableState::waiting},
    {TableState::streaming, TableEvent::fail, TableState::quarantined},
    {TableState::streaming, TableEvent::remove, TableState::removed},

    {TableState::paused, TableEvent::resume, TableState::catching_up},
    {TableState::paused, TableEvent::reread, TableState::waiting},
    {TableState::paused, TableEvent::remove, TableState::removed},

    {TableState::quarantined, TableEvent::resume, TableState::catching_up},
    {TableState::quarantined, TableEvent::reread, TableState::waiting},
    {TableState::quarantined, TableEvent::pause, TableState::paused},
    {TableState::quarantined, TableEvent::remove, TableState::removed},

    {TableState::removed, TableEvent::reread, TableState::waiting},
};

/// The state after the event; nothing if the event cannot happen in this state.
constexpr std::optional<TableState> next_state(TableState from, TableEvent event) {
  for (const auto& transition : kTableTransitions) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return std::nullopt;
}

}  // namespace maia::engine
