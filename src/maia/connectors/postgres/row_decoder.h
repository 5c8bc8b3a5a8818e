// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/value_decoder.h"
#include "maia/types/batch.h"

namespace maia::postgres {

/// Writes the rows of one relation's messages into batches of one schema version. Compiled once per Relation
/// message. Columns are matched by name; a column that the server sends and the schema has not is left out.
/// Used from one thread.
class RowDecoder {
 public:
  /// `mapped` has one entry per column of the schema. Code::unsupported, with the column's name, if the
  /// relation lacks a column of the schema (a generated column, or one outside the publication's column list)
  /// or has it with another type than it was mapped for: then the schema is not the one of these messages.
  static Result<RowDecoder> compile(SchemaRef schema, std::span<const MappedType> mapped,
                                    const Relation& relation);

  const SchemaRef& schema() const { return schema_; }

  /// Each appends one row to a batch of schema(), or leaves the batch as it was and returns the error, with
  /// the column's name. Images are as types/batch.h describes; where the old row is sent in full, a value
  /// that the new row leaves out is taken from it.
  Status insert(Batch& batch, std::uint64_t ordinal, const Insert& message) const;
  Status update(Batch& batch, std::uint64_t ordinal, const Update& message) const;
  Status remove(Batch& batch, std::uint64_t ordinal, const Delete& message) const;

 private:
  struct Field {
    std::size_t place = 0;  ///< in the tuple
    bool in_key = false;    ///< of the replica identity
  };
  struct Images {
    OldTuple old_kind = OldTuple::none;
    TupleView before;
    TupleView after;
  };
  Status push_row(Batch& batch, Op op, std::uint64_t ordinal, const Images& images) const;
  Status push_after(Batch& batch, Op op, const Images& images) const;
  Status push_before(Batch& batch, const Images& images) const;
  ValueDecoder::Outcome push(ColumnVector& column, std::size_t index, const TupleValue& value) const;
  Error value_error(ValueDecoder::Outcome outcome, std::size_t index) const;
  Status fits(Op op, const Images& images) const;
  Error corrupt(std::string_view what) const;

  SchemaRef schema_;
  std::vector<ValueDecoder> decoders_;  ///< by column of the batch
  std::vector<Field> fields_;           ///< one per column of the batch
  std::size_t width_ = 0;               ///< of the relation
};

}  // namespace maia::postgres
