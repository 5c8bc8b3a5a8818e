// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/types/window.h"

namespace maia::engine {

/// One change of one table by itself, as it came from the source: what a dead letter keeps of it.
struct SingleChange {
  Transaction transaction;  ///< first_ordinal is 0
  Batch batch;              ///< one row; its ordinal is its place in the transaction
};

/// The transaction among `transactions` (of a window) that a row of this ordinal is of.
const Transaction& transaction_of(std::span<const Transaction> transactions, std::uint64_t ordinal);

SingleChange single_change(const Batch& batch, std::size_t row, const Transaction& transaction);
/// A version byte, the shape, and the journal's own encoding of a window
/// (docs/reference/journal-format.md).
Bytes encode_change(const SingleChange& change);
/// Code::corruption for bytes that are not what encode_change wrote.
Result<SingleChange> decode_change(ByteView bytes);

/// The values that came with a change, as a JSON object of canonical texts.
std::string row_as_json(const Batch& batch, std::size_t row);
/// The row's key before the change, or after it, as bytes that are equal for equal keys; empty if the table
/// has no key or the change does not carry it.
std::string key_before(const Batch& batch, std::size_t row);
std::string key_after(const Batch& batch, std::size_t row);

/// Another value for a column of the change, in canonical text; nothing for NULL. Code::invalid_config if
/// there is no such column or the text is not of its type.
Status set_value(SingleChange& change, std::string_view column, std::optional<std::string_view> text);

}  // namespace maia::engine
