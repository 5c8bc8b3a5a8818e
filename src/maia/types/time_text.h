// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maia/types/column_vector.h"

namespace maia {

/// Canonical text of dates, times and intervals; the forms are in types/value_text.h, the values in
/// types/type.h. Parsing takes exactly what appending prints, and any offset for an instant; nothing comes
/// back for other text, for days that the calendar does not have, and for values beyond the type's range.

void append_date(std::string& out, std::int32_t days);
std::optional<std::int32_t> parse_date(std::string_view text);

void append_time(std::string& out, std::int64_t micros);
std::optional<std::int64_t> parse_time(std::string_view text);

enum class Zone : bool { none, utc };
void append_timestamp(std::string& out, std::int64_t micros, Zone zone);
/// Zone::utc: an offset must follow, such as +00, +05:30, -00:44:30 or Z.
std::optional<std::int64_t> parse_timestamp(std::string_view text, Zone zone);

/// ISO 8601 for formats that want it: 2026-11-23, 2026-11-23T22:29:50.5 and a Z for Zone::utc; years before 1
/// are astronomical (-0043 is 44 BC), years beyond 9999 have a sign. Infinities as in the canonical text.
void append_iso_date(std::string& out, std::int32_t days);
void append_iso_timestamp(std::string& out, std::int64_t micros, Zone zone);

void append_interval(std::string& out, const Interval& interval);
std::optional<Interval> parse_interval(std::string_view text);

}  // namespace maia
