// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/types/schema.h"

namespace maia::engine {

/// Where a table stands at one destination.
enum class TableState : std::uint8_t {
  waiting,      ///< nothing copied yet
  snapshot,     ///< chunks are being copied
  catching_up,  ///< all chunks are in; the stream has not passed the snapshot's position yet
  streaming,
};
std::string_view to_string(TableState state);

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
};

std::string fact_key(std::string_view table_id);
/// The table id of a fact key; nothing if the fact is not about a table.
std::optional<std::string> table_of_fact(std::string_view key);

std::string to_json(const TableFact& fact);
/// Code::corruption when it is not what to_json wrote.
Result<TableFact> table_fact_from_json(std::string_view json);

}  // namespace maia::engine
