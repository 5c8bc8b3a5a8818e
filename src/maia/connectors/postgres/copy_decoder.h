// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/value_decoder.h"
#include "maia/types/batch.h"

namespace maia::postgres {

enum class CopyFormat : std::uint8_t { text, binary };

/// Turns the bytes of one COPY ... TO STDOUT into Op::read rows (PostgreSQL documentation, COPY, "File
/// Formats"). The copied columns are the columns of the batch, in order. Chunks may split rows anywhere or
/// hold many. Used from one thread.
class CopyDecoder {
 public:
  /// One decoder per column of the batches; binary needs has_binary() of all.
  CopyDecoder(CopyFormat format, std::vector<ValueDecoder> decoders);

  /// Appends the rows that the chunk completes; ordinals count from 0 over the whole copy. The batch may be a
  /// new one at each call. Code::corruption with the row's number when the bytes do not follow the format;
  /// a value's error with the column's name.
  Status feed(std::span<const std::byte> chunk, Batch& batch);
  /// After the last chunk. Code::corruption if the copy ended inside of a row or, in binary, without trailer.
  Status finish() const;

  std::uint64_t rows() const { return rows_; }

 private:
  Result<std::size_t> take_rows(std::string_view bytes, Batch& batch);
  Result<std::size_t> take_header(std::string_view bytes);
  Result<std::size_t> take_binary(std::string_view bytes, Batch& batch);
  Result<std::size_t> take_binary_row(std::string_view bytes, Batch& batch);
  Result<std::size_t> take_text(std::string_view bytes, Batch& batch);
  Status push_text_row(std::string_view line, Batch& batch);
  Status push_text_field(std::string_view field, Batch& batch, std::size_t column);
  Error value_error(ValueDecoder::Outcome outcome, Batch& batch, std::size_t column) const;

  CopyFormat format_;
  std::vector<ValueDecoder> decoders_;
  std::string rest_;       ///< start of a row whose end has not come yet
  std::string unescaped_;  ///< scratch
  std::uint64_t rows_ = 0;
  bool header_read_ = false;
  bool ended_ = false;
};

}  // namespace maia::postgres
