// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "maia/base/clock.h"
#include "maia/types/batch.h"
#include "maia/types/position.h"

namespace maia {

/// One source transaction within a window. Its rows have the ordinals from `first_ordinal` up to the next
/// transaction's. A row's operation id is (position, ordinal - first_ordinal): the same after every restart.
struct Transaction {
  Position position;  ///< everything up to and including this transaction has been seen
  std::string id;     ///< the source's own name for it, for people and for tools
  WallMicros committed_at = 0;
  std::uint64_t first_ordinal = 0;

  /// The stable name of the change with this ordinal, for destinations and people to tell duplicates by.
  std::string operation_id(std::uint64_t ordinal) const;
};

struct Truncate {
  std::vector<SchemaRef> tables;
  bool cascade = false;
  bool restart_identity = false;
  std::uint64_t ordinal = 0;
};

/// One step of a schema change, as the plan and `maia status` name it.
struct ColumnChange {
  enum class Kind : std::uint8_t { add, drop, rename, retype, nullability, key, default_value };
  Kind kind = Kind::add;
  std::string column;    ///< the name after the change; before it for a drop
  std::string old_name;  ///< rename only
  /// add only: what existing rows hold, in the canonical text of the column's type; nothing for NULL.
  std::optional<std::string> existing_rows;
  friend bool operator==(const ColumnChange&, const ColumnChange&) = default;
};

/// The shape of a table changed; rows after it follow `after`. In the same order as the rows.
struct SchemaChange {
  SchemaRef before;  ///< null: the table is new to us; the same as after: it joins with rows that it had
  SchemaRef after;   ///< null: the table was dropped
  std::vector<ColumnChange> columns;
  std::uint64_t ordinal = 0;
};

/// An ordered set of changes that ends on a transaction boundary; the unit of delivery. Between two
/// barriers (Truncate, SchemaChange) there is at most one batch per table and schema version; ordinals
/// restore the order across them. A transaction too large for memory comes as several windows: all but its
/// last have `continues` set and must be committed together with it. No transactions and no items: the source
/// was idle, and `end` may be confirmed once delivered.
struct Window {
  using Item = std::variant<Batch, Truncate, SchemaChange>;
  Sequence sequence;  ///< given by the journal
  std::vector<Transaction> transactions;
  std::vector<Item> items;
  Position end;
  bool continues = false;
  WallMicros received_at = 0;  ///< when MAIA had read the last byte of it

  std::size_t rows() const;
  std::size_t byte_size() const;
};

}  // namespace maia
