// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/engine/table_state.h"
#include "maia/types/schema.h"

namespace maia::engine {

/// A table that does not take part in the common checkpoint: all its changes up to here are at the
/// destination, those after are not.
struct Held {
  Sequence sequence;
  Position position;
  friend bool operator==(const Held&, const Held&) = default;
};

/// What is durable about one table at one destination: a fact of its checkpoint under the key "table/<id>",
/// as JSON.
struct TableFact {
  TableState state = TableState::waiting;
  SchemaRef source;  ///< the shape that the delivered rows have at the source
  SchemaRef target;  ///< the shape of the destination's table
  TablePlanProgress snapshot;
  std::uint32_t chunks = 0;                ///< planned in all
  std::uint64_t rows = 0;                  ///< copied by the snapshot
  std::optional<Position> skip_until;      ///< the snapshot contains the table's changes up to here
  std::optional<Position> converge_until;  ///< up to here changes may meet newer rows
  bool made = false;                       ///< the destination's table is there
  bool copied = false;                     ///< all rows are there, or were once
  std::optional<Held> held;
  /// mode append, while it is sent again: what it had then. Sending again adds nothing before that place.
  std::optional<Position> had_until;
  /// The rows that are read (again) are compared with those that are there, and only what differs is written:
  /// all of them if the text is empty, else those that meet the condition (connector/row_condition.h).
  std::optional<std::string> resync;
  WallMicros left_at = 0;            ///< paused, quarantined: since when
  std::string reason;                ///< quarantined: what failed
  std::string hint;                  ///< quarantined: what to do about it
  std::uint64_t schema_changes = 0;  ///< followed since the table is here
  std::string last_schema_change;    ///< in words
};

/// Brings the fact into the state that the event leads to. An error, and no change, if the event cannot
/// happen in its state (kTableTransitions).
Status happen(TableFact& fact, TableEvent event);

std::string fact_key(std::string_view table_id);
/// The table id of a fact key; nothing if the fact is not about a table.
std::optional<std::string> table_of_fact(std::string_view key);

std::string to_json(const TableFact& fact);
/// Code::corruption when it is not what to_json wrote.
Result<TableFact> table_fact_from_json(std::string_view json);

}  // namespace maia::engine
