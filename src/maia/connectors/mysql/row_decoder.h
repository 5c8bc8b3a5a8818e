// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/mysql/binlog_event.h"
#include "maia/connectors/mysql/column_decoder.h"
#include "maia/types/batch.h"

namespace maia::mysql {

/// Reads the rows of one table in one shape into batches. Used from one thread.
class RowDecoder {
 public:
  /// `decoders`: of the columns as the log has them; `places`: where each lies in the schema.
  RowDecoder(SchemaRef schema, std::vector<ColumnDecoder> decoders, std::vector<std::size_t> places);

  const SchemaRef& schema() const { return schema_; }
  /// Appends the rows with ordinals from `ordinal` on and moves it behind the last.
  Status decode(const RowsEvent& rows, Batch& batch, std::uint64_t& ordinal);

 private:
  /// One value of an image, not yet decoded. What an image does not have is `unchanged`.
  struct Cell {
    Presence presence = Presence::unchanged;
    ByteView bytes;
    bool partial = false;  ///< differences of a JSON value
  };
  using Image = std::vector<Cell>;  ///< by column of the schema

  Status read_image(WireReader& in, ByteView columns, bool may_be_partial, Image& image);
  Status push_row(const RowsEvent& rows, Batch& batch);
  Status push_after(Op op, Batch& batch);
  Status push_before(Batch& batch, bool whole);
  Status push(std::size_t column, const Cell& cell, ColumnVector& to);
  Status push_partial(std::size_t column, const Cell& cell, ColumnVector& to);
  bool key_changed() const;
  Error error(std::string_view what) const;

  SchemaRef schema_;
  std::vector<ColumnDecoder> decoders_;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> decoder_of_;  ///< by column of the schema
  std::vector<std::size_t> key_;
  std::size_t json_columns_ = 0;
  Image before_;
  Image after_;
};

}  // namespace maia::mysql
