// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::journal {

/// Payload of a schema record: docs/reference/journal-format.md, "Schemas".
void encode_schema(ByteWriter& out, const TableSchema& schema);
/// Code::corruption, with the reason alone, for bytes that are not exactly one schema.
Result<TableSchema> decode_schema(ByteView payload);

}  // namespace maia::journal
