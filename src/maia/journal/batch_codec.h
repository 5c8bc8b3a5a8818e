// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/types/window.h"

namespace maia::journal {

/// Gives the number by which a schema is named in the segment being written, never 0; may have to write it
/// first.
using SchemaToNumber = std::function<Result<std::uint64_t>(const SchemaRef&)>;
using NumberToSchema = std::function<Result<SchemaRef>(std::uint64_t)>;

/// Payload of window and fragment records: everything of the window but its sequence and `continues`.
/// docs/reference/journal-format.md, "Windows".
Status encode_window(ByteWriter& out, const Window& window, const SchemaToNumber& number);
/// Code::corruption, with the reason alone, for bytes that are not exactly one window.
Result<Window> decode_window(ByteView payload, const NumberToSchema& schema);

/// Only what tells when and where: end, time received, transactions.
Result<Window> decode_window_head(ByteView payload);

void encode_transaction(ByteWriter& out, const Transaction& transaction);
Transaction decode_transaction(ByteReader& in);

}  // namespace maia::journal
