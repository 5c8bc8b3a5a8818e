// SPDX-License-Identifier: Apache-2.0
#include "maia/types/calendar.h"

#include <gmock/gmock.h>

namespace maia {
namespace {

TEST(CalendarTest, days_count_from_1970_in_both_directions) {
  EXPECT_EQ(days_from_civil({1970, 1, 1}), 0);
  EXPECT_EQ(days_from_civil({1969, 12, 31}), -1);
  EXPECT_EQ(days_from_civil({2000, 1, 1}), 10'957);
  EXPECT_EQ(days_from_civil({2000, 3, 1}), 11'017);
  EXPECT_EQ(days_from_civil({0, 3, 1}), -719'468);
  EXPECT_EQ(days_from_civil({-4713, 11, 24}), -2'440'588);
  EXPECT_EQ(days_from_civil({294'276, 12, 31}), 106'762'939);
}

TEST(CalendarTest, every_day_of_sixteen_centuries_follows_the_day_before_it) {
  std::int64_t days = days_from_civil({-400, 1, 1});
  for (std::int64_t year = -400; year < 1200; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= days_in_month(year, month); ++day, ++days) {
        const Civil civil{year, month, day};
        ASSERT_EQ(days_from_civil(civil), days) << year << "-" << month << "-" << day;
        ASSERT_EQ(civil_from_days(days), civil) << days;
      }
    }
  }
}

TEST(CalendarTest, extreme_days_survive_the_way_to_civil_and_back) {
  for (const std::int64_t days : {std::int64_t{INT32_MIN}, std::int64_t{INT32_MAX}, INT64_MAX / kMicrosPerDay,
                                  INT64_MIN / kMicrosPerDay - 1}) {
    EXPECT_EQ(days_from_civil(civil_from_days(days)), days);
  }
}

TEST(CalendarTest, leap_years_follow_the_gregorian_rule_before_year_one_too) {
  EXPECT_EQ(days_in_month(2000, 2), 29u);
  EXPECT_EQ(days_in_month(1900, 2), 28u);
  EXPECT_EQ(days_in_month(2024, 2), 29u);
  EXPECT_EQ(days_in_month(0, 2), 29u);
  EXPECT_EQ(days_in_month(-3, 2), 28u);
  EXPECT_EQ(days_in_month(-4, 2), 29u);
}

TEST(CalendarTest, time_within_the_day_is_never_negative) {
  EXPECT_EQ(split_micros(-1).days, -1);
  EXPECT_EQ(split_micros(-1).micros, kMicrosPerDay - 1);
  EXPECT_EQ(split_micros(-kMicrosPerDay).days, -1);
  EXPECT_EQ(split_micros(-kMicrosPerDay).micros, 0);
  EXPECT_EQ(split_micros(kMicrosPerDay).days, 1);
}

}  // namespace
}  // namespace maia
