// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia {

/// The canonical text of values: what files, defaults, dead letters and arrays hold. It equals PostgreSQL's
/// output with DateStyle ISO, IntervalStyle iso_8601, TimeZone UTC, extra_float_digits 3, bytea_output hex:
///
/// | type | text |
/// | --- | --- |
/// | boolean | t, f (parsing also takes true, false) |
/// | int*, decimal | plain digits |
/// | float32, float64 | shortest text that reads back the same; NaN, Infinity, -Infinity |
/// | date | 2026-11-23, 0044-03-15 BC, infinity, -infinity; years above 9999 have more digits |
/// | time | 23:59:59.123456, fraction only as long as needed; 24:00:00 |
/// | timestamp | 2026-11-23 22:29:50.5, BC and infinity as for date |
/// | timestamp_tz | the same with +00 at the end, before BC; parsing takes any offset |
/// | interval | P1Y2M-3DT4H5M6.5S, PT0S; infinity, -infinity when all parts are at their end (PostgreSQL 17)
/// | | bytes | \x6d616961 | | uuid | 8-4-4-4-12 lower-case hex | | string, json, array | as they are |
///
/// Only a row whose presence is `value` has a text.
void append_value_text(std::string& out, const Type& type, const ColumnVector& column, std::size_t row);

/// Parses canonical text into a new value at the end of `column`. Code::data, without the value in the
/// message and with nothing pushed, when the text is not of the type or the value is out of the type's range
/// (timestamps of the last 30 years that PostgreSQL has, from 294247-01-10, are beyond ours).
Status push_value_text(ColumnVector& column, const Type& type, std::string_view text);

}  // namespace maia
