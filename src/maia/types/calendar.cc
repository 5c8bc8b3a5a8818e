// SPDX-License-Identifier: Apache-2.0
#include "maia/types/calendar.h"

namespace maia {
namespace {

// The calendar repeats every 400 years. Counting years from March puts the leap day at the end of the year,
// so that the day of the year is a straight line through the months: 153 days every five.
constexpr std::int64_t kDaysPerEra = 146'097;
constexpr std::int64_t kMarchOfYearZero = 719'468;  // days from 0000-03-01 to 1970-01-01

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

std::int64_t days_from_civil(const Civil& civil) {
  const bool before_march = civil.month <= 2;
  const std::int64_t year = civil.year - before_march;
  const std::int64_t month = civil.month + (before_march ? 9 : -3);
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + civil.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kMarchOfYearZero;
}

Civil civil_from_days(std::int64_t days) {
  days += kMarchOfYearZero;
  const std::int64_t era = floor_div(days, kDaysPerEra);
  const std::int64_t day_of_era = days - era * kDaysPerEra;
  const std::int64_t leap_days = day_of_era / 1460 - day_of_era / 36'524 + day_of_era / 146'096;
  const std::int64_t year_of_era = (day_of_era - leap_days) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  const bool next_year = month >= 10;
  return {.year = era * 400 + year_of_era + next_year,
          .month = static_cast<unsigned>(next_year ? month - 9 : month + 3),
          .day = static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1)};
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  static constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year));
}

}  // namespace maia
