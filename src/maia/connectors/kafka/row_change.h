// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/clock.h"
#include "maia/connectors/kafka/datum.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// What one record says of a row.
struct RowChange {
  enum class Kind : std::uint8_t {
    nothing,  ///< a heartbeat or a message that is none of a row
    insert,   ///< or the row as it is now: it may be there already
    update,
    remove,
    truncate,
  };
  Kind kind = Kind::nothing;
  /// Of the table that an envelope names; empty: the topic is the table.
  std::optional<TableName> table;
  std::string transaction;  ///< of its source; "" where that is not told
  std::optional<WallMicros> committed_at;
  Datum before;  ///< a record, or null
  Datum after;   ///< a record, or null
};

/// Recognises Debezium's envelope, rows with the operation beside them, CloudEvents around either, and plain
/// rows. Code::data, with what is wrong, for anything else.
Result<RowChange> read_row_change(Datum value);

}  // namespace maia::kafka
