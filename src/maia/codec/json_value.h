// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::codec {

/// Appends one value as JSON, without line breaks. Only for a row whose presence is `value`.
///
/// | type | JSON |
/// | --- | --- |
/// | boolean, int*, float* | as themselves; NaN and the infinities are strings |
/// | decimal | string, so that no reader rounds it |
/// | date, timestamp, timestamp_tz | ISO 8601 string: 2026-11-23, 2026-11-23T22:29:50.5, the last with Z |
/// | bytes | string, base64 (RFC 4648, with padding) |
/// | array | array of the elements, nested for more dimensions; with lower bounds a string, the literal |
/// | json | string with the exact JSON text |
/// | all others | string, canonical text (types/value_text.h) |
void append_json_value(std::string& out, const Type& type, const ColumnVector& column, std::size_t row);

}  // namespace maia::codec
