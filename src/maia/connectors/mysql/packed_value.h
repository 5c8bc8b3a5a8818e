// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {

// How the binary log packs values whose form is not that of memory.

/// A DECIMAL: nine digits to four bytes, big-endian, the sign in the first bit. False, with `in` used up, if
/// it ends too early or has other digits than decimal ones.
bool append_packed_decimal(std::string& out, WireReader& in, unsigned precision, unsigned scale);
std::size_t packed_decimal_size(unsigned precision, unsigned scale);

/// Bytes of a fraction of a second with this many digits.
constexpr unsigned fraction_bytes(unsigned digits) { return (digits + 1) / 2; }

/// A date and time of the calendar as the server has it; a part may be zero, or be a day that no month has.
struct CalendarTime {
  unsigned year = 0, month = 0, day = 0;
  unsigned hour = 0, minute = 0, second = 0;
  unsigned micros = 0;
};
CalendarTime read_datetime(WireReader& in, unsigned digits);
CalendarTime read_datetime_old(WireReader& in);
CalendarTime read_date(WireReader& in);
/// Microseconds, negative ones too.
std::int64_t read_time(WireReader& in, unsigned digits);
std::int64_t read_time_old(WireReader& in);
/// Microseconds since 1970; nothing for 0000-00-00.
std::optional<std::int64_t> read_timestamp(WireReader& in, unsigned digits);
std::optional<std::int64_t> read_timestamp_old(WireReader& in);

}  // namespace maia::mysql
