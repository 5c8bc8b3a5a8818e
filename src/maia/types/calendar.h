// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace maia {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// The sentinels of date, timestamp and timestamp_tz.
inline constexpr std::int32_t kDatePlusInfinity = INT32_MAX;
inline constexpr std::int32_t kDateMinusInfinity = INT32_MIN;
inline constexpr std::int64_t kTimestampPlusInfinity = INT64_MAX;
inline constexpr std::int64_t kTimestampMinusInfinity = INT64_MIN;

/// A day of the proleptic Gregorian calendar. Years are astronomical: 0 is 1 BC, -43 is 44 BC.
struct Civil {
  std::int64_t year = 1970;
  unsigned month = 1;  ///< 1 to 12
  unsigned day = 1;    ///< 1 to 31
  friend bool operator==(const Civil&, const Civil&) = default;
};

/// Days since 1970-01-01. Right for every day that fits an int32 and far beyond.
std::int64_t days_from_civil(const Civil& civil);
Civil civil_from_days(std::int64_t days);
unsigned days_in_month(std::int64_t year, unsigned month);

/// An instant cut into a day and the time within it, also before 1970.
struct DayAndTime {
  std::int64_t days = 0;    ///< since 1970-01-01
  std::int64_t micros = 0;  ///< 0 to kMicrosPerDay - 1
};
constexpr DayAndTime split_micros(std::int64_t micros) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  return {days, rest};
}

}  // namespace maia
