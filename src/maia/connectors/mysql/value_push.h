// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/mysql/native_type.h"
#include "maia/connectors/mysql/packed_value.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::mysql {

/// What becomes of 0000-00-00, and of days that the calendar does not have.
enum class ZeroDates : std::uint8_t { refuse, null };

// Values of MySQL, read from the log or from a row of a SELECT, into a column of their canonical type; so
// both ways give the same. Code::data, without the value, and nothing pushed, where the type cannot hold it.

Status push_integer(ColumnVector& to, const Type& type, bool is_unsigned, std::uint64_t bits);
/// Plain digits.
Status push_decimal(ColumnVector& to, const Type& type, std::string_view text);
/// A date or a timestamp without zone, by the type.
Status push_calendar(ColumnVector& to, const Type& type, const CalendarTime& at, ZeroDates zero);
/// Microseconds of TIME, which goes beyond a day and below zero.
Status push_time(ColumnVector& to, std::int64_t micros);
/// The bytes of BIT, big-endian, as ones and zeros.
void push_bits(ColumnVector& to, ByteView bytes, unsigned bits);
/// The floats of VECTOR as an array.
Status push_vector(ColumnVector& to, ByteView floats);
/// The error for 0000-00-00 where it is refused.
Error zero_date();

/// One value of a row that was SELECTed as `select_expression` says, as text.
Status push_selected(ColumnVector& to, const Type& type, const NativeType& native, std::string_view text,
                     ZeroDates zero);
/// What to SELECT for a column, whose quoted name is given, so that its text says all of the value.
std::string select_expression(const NativeType& native, std::string_view column);

}  // namespace maia::mysql
