// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/types/batch.h"
#include "maia/types/window.h"

namespace maia::codec {

/// Stands for a value that the source did not send.
inline constexpr std::string_view kUnavailableValue = "__debezium_unavailable_value";

/// What the envelope calls an operation: r, c, u or d.
std::string_view op_letter(Op op);

enum class JsonForm : std::uint8_t {
  debezium,  ///< the envelope of Debezium's connectors: before, after, source, op, ...
  flat,      ///< the row itself, with __op, __table, __deleted, __operation and __source_ts_ms beside it
};

/// What `source` says of every change besides its own transaction.
struct ChangeOrigin {
  std::string connector;  ///< kind of system
  std::string name;       ///< of the pipeline
  std::string database;
};

/// Writes the changes of one table under one schema version as JSON objects without line breaks
/// (docs/reference/change-envelope.md). Immutable once made.
///
/// A before image has only the columns that the source sent; it is null if there is none. In after, a value
/// that was not sent is kUnavailableValue. `op` is c, u, d, r (a row of a snapshot) or t (truncate).
class JsonWriter {
 public:
  JsonWriter(JsonForm form, const ChangeOrigin& origin, const TableName& table, const TableSchema& schema);

  /// One row. `transaction` is the row's own; `written_at` becomes the envelope's ts_ms.
  void append_row(std::string& out, const Batch& batch, std::size_t row, const Transaction& transaction,
                  WallMicros written_at) const;
  void append_truncate(std::string& out, WallMicros written_at) const;

 private:
  enum class Image : bool { before, after };
  void append_members(std::string& out, const Batch& batch, std::size_t row, Image image) const;
  void append_image(std::string& out, const Batch& batch, std::size_t row, Image image) const;
  void append_source(std::string& out, const Transaction* transaction, bool snapshot) const;
  void append_envelope(std::string& out, const Batch& batch, std::size_t row, const Transaction& transaction,
                       WallMicros written_at) const;
  void append_flat(std::string& out, const Batch& batch, std::size_t row,
                   const Transaction& transaction) const;

  const JsonForm form_;
  std::vector<Type> types_;
  std::vector<std::string> names_;  ///< of the columns: "id":
  std::string source_start_;        ///< "version":...,"connector":...,"name":...
  std::string source_table_;        ///< "db":...,"schema":...,"table":...
  std::string table_;               ///< "schema.table", quoted
};

}  // namespace maia::codec
