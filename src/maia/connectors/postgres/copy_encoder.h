// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/value_encoder.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::postgres {

/// A field of the rows of a COPY: a value of a canonical type going into a column of a native one.
struct CopyField {
  Type type;
  std::string column_type;  ///< without modifier, as format_type spells it
};

/// Writes the bytes of a COPY ... FROM STDIN (PostgreSQL documentation, COPY, "File Formats"): binary where
/// every field can, otherwise text. Appends to a buffer that the caller sends and clears; keeps its own
/// scratch memory, so a row costs no allocation. Not thread-safe.
///
///     encoder.begin();
///     { encoder.begin_row(); { encoder.value(i, column, row) | null() | number(n) }...; encoder.end_row();
///     }... encoder.end();
class CopyEncoder {
 public:
  explicit CopyEncoder(std::vector<CopyField> fields);

  bool binary() const { return binary_; }
  std::string& buffer() { return buffer_; }

  void begin();
  /// `extra` fields by number() come before those of the list.
  void begin_row(std::size_t extra = 0);
  /// The next field is the value of field `i` of the list. `unchanged` is written as NULL. Code::data,
  /// without the value, if it has no native form.
  Status value(std::size_t i, const ColumnVector& column, std::size_t row);
  void null();
  void number(std::int32_t value);  ///< a field of type integer
  void end_row();
  void end();

 private:
  void separate();

  std::vector<CopyField> fields_;
  std::vector<BinaryEncoder> encoders_;
  std::string buffer_;
  std::string scratch_;
  bool binary_ = true;
  bool first_ = true;
};

}  // namespace maia::postgres
