// SPDX-License-Identifier: Apache-2.0
#include "maia/types/time_text.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "maia/types/calendar.h"

namespace maia {
namespace {

std::string date_text(std::int32_t days) {
  std::string out;
  append_date(out, days);
  return out;
}

std::string time_text(std::int64_t micros) {
  std::string out;
  append_time(out, micros);
  return out;
}

std::string timestamp_text(std::int64_t micros, Zone zone) {
  std::string out;
  append_timestamp(out, micros, zone);
  return out;
}

std::string interval_text(const Interval& interval) {
  std::string out;
  append_interval(out, interval);
  return out;
}

std::int64_t micros_at(const Civil& day, std::int64_t hour = 0, std::int64_t minute = 0,
                       std::int64_t second = 0, std::int64_t micros = 0) {
  const auto seconds = hour * 3600 + minute * 60 + second;
  return days_from_civil(day) * kMicrosPerDay + seconds * kMicrosPerSecond + micros;
}

TEST(DateTextTest, dates_have_four_digit_years_an_era_and_infinities) {
  const std::pair<Civil, const char*> cases[] = {
      {{1970, 1, 1}, "1970-01-01"},     {{2026, 11, 23}, "2026-11-23"},      {{1, 1, 1}, "0001-01-01"},
      {{0, 12, 31}, "0001-12-31 BC"},   {{-43, 3, 15}, "0044-03-15 BC"},     {{10000, 2, 29}, "10000-02-29"},
      {{-4712, 1, 1}, "4713-01-01 BC"}, {{5874897, 12, 31}, "5874897-12-31"}};
  for (const auto& [civil, text] : cases) {
    const auto days = static_cast<std::int32_t>(days_from_civil(civil));
    EXPECT_EQ(date_text(days), text);
    EXPECT_EQ(parse_date(text), days) << text;
  }
  EXPECT_EQ(date_text(INT32_MAX), "infinity");
  EXPECT_EQ(date_text(INT32_MIN), "-infinity");
  EXPECT_EQ(parse_date("infinity"), INT32_MAX);
  EXPECT_EQ(parse_date("-infinity"), INT32_MIN);
}

TEST(DateTextTest, days_that_the_calendar_lacks_and_other_text_are_refused) {
  for (const auto* text : {"",
                           "2023-02-29",
                           "1900-02-29",
                           "2024-04-31",
                           "2024-00-10",
                           "2024-13-01",
                           "2024-01-00",
                           "2024-01-32",
                           "0000-01-01",
                           "0000-01-01 BC",
                           "24-01-01",
                           "2024-1-1",
                           "2024-01-01 ",
                           " 2024-01-01",
                           "2024-01-01BC",
                           "2024-01-01 BC ",
                           "2024/01/01",
                           "20240101",
                           "-2024-01-01",
                           "9999999-01-01",
                           "99999999-01-01",
                           "Infinity",
                           "0101-02-29 BC",
                           "today"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
  EXPECT_NE(parse_date("0101-02-28 BC"), std::nullopt);
  EXPECT_NE(parse_date("0005-02-29 BC"), std::nullopt);
}

TEST(TimeTextTest, times_end_at_24_and_have_a_fraction_only_as_long_as_needed) {
  const std::pair<std::int64_t, const char*> cases[] = {{0, "00:00:00"},
                                                        {1, "00:00:00.000001"},
                                                        {500'000, "00:00:00.5"},
                                                        {kMicrosPerDay - 1, "23:59:59.999999"},
                                                        {kMicrosPerDay, "24:00:00"}};
  for (const auto& [micros, text] : cases) {
    EXPECT_EQ(time_text(micros), text);
    EXPECT_EQ(parse_time(text), micros) << text;
  }
  for (const auto* text :
       {"", "24:00:01", "24:00:00.000001", "25:00:00", "12:60:00", "12:00:60", "12:00", "1:00:00",
        "12:00:00.", "12:00:00.1234567", "12:00:00 PM", "-01:00:00", "12:00:00+00"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(TimestampTextTest, timestamps_carry_zone_and_era_in_that_order) {
  const auto ides = micros_at({-43, 3, 15}, 12, 30);
  EXPECT_EQ(timestamp_text(ides, Zone::none), "0044-03-15 12:30:00 BC");
  EXPECT_EQ(timestamp_text(ides, Zone::utc), "0044-03-15 12:30:00+00 BC");
  const auto now = micros_at({2026, 11, 23}, 22, 29, 50, 500'000);
  EXPECT_EQ(timestamp_text(now, Zone::none), "2026-11-23 22:29:50.5");
  EXPECT_EQ(timestamp_text(now, Zone::utc), "2026-11-23 22:29:50.5+00");
  EXPECT_EQ(timestamp_text(-1, Zone::none), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(timestamp_text(INT64_MAX, Zone::utc), "infinity");
  EXPECT_EQ(timestamp_text(INT64_MIN, Zone::none), "-infinity");
  EXPECT_EQ(parse_timestamp("0044-03-15 12:30:00 BC", Zone::none), ides);
  EXPECT_EQ(parse_timestamp("0044-03-15 12:30:00+00 BC", Zone::utc), ides);
  EXPECT_EQ(parse_timestamp("-infinity", Zone::utc), INT64_MIN);
}

TEST(TimestampTextTest, any_offset_is_taken_to_utc) {
  const auto noon = micros_at({2026, 11, 23}, 12);
  for (const auto* text : {"2026-11-23 12:00:00+00", "2026-11-23 12:00:00Z", "2026-11-23 17:30:00+05:30",
                           "2026-11-23 13:02:03+01:02:03", "2026-11-23 04:00:00-08", "2026-11-24 02:00:00+14",
                           "2026-11-23 11:15:30-00:44:30"}) {
    EXPECT_EQ(parse_timestamp(text, Zone::utc), noon) << text;
  }
  EXPECT_EQ(parse_timestamp("0001-01-01 00:30:00+01", Zone::utc), micros_at({0, 12, 31}, 23, 30));
}

TEST(TimestampTextTest, the_ends_of_the_range_are_reached_but_not_passed) {
  EXPECT_EQ(timestamp_text(INT64_MAX - 1, Zone::none), "294247-01-10 04:00:54.775806");
  EXPECT_EQ(parse_timestamp("294247-01-10 04:00:54.775806", Zone::none), INT64_MAX - 1);
  EXPECT_EQ(parse_timestamp("294247-01-10 05:00:54.775806+01", Zone::utc), INT64_MAX - 1);
  EXPECT_EQ(parse_timestamp("294247-01-10 04:00:54.775807", Zone::none), std::nullopt);
  EXPECT_EQ(parse_timestamp("294276-12-31 23:59:59.999999", Zone::none), std::nullopt);
  const auto first = micros_at({-4712, 1, 1});
  EXPECT_EQ(timestamp_text(first, Zone::utc), "4713-01-01 00:00:00+00 BC");
  EXPECT_EQ(parse_timestamp("4713-01-01 00:00:00+00 BC", Zone::utc), first);
}

TEST(TimestampTextTest, other_text_is_refused) {
  for (const auto* text : {"", "2026-11-23", "2026-11-23 12:00", "2026-11-23T12:00:00", "2026-11-23 24:00:00",
                           "2026-11-23 12:00:00 AD", "2026-11-23 12:00:00+00", "2026-02-30 12:00:00",
                           "2026-11-23 12:00:60", "2026-11-23 12:00:00.1234567"}) {
    EXPECT_EQ(parse_timestamp(text, Zone::none), std::nullopt) << text;
  }
  for (const auto* text : {"2026-11-23 12:00:00", "2026-11-23 12:00:00+", "2026-11-23 12:00:00+1",
                           "2026-11-23 12:00:00+24", "2026-11-23 12:00:00+01:60", "2026-11-23 12:00:00 UTC",
                           "2026-11-23 12:00:00 BC+00", "2026-11-23 12:00:00+01:02:03:04"}) {
    EXPECT_EQ(parse_timestamp(text, Zone::utc), std::nullopt) << text;
  }
}

TEST(TimestampTextTest, iso_8601_has_astronomical_years) {
  const auto iso = [](std::int64_t micros, Zone zone) {
    std::string out;
    append_iso_timestamp(out, micros, zone);
    return out;
  };
  EXPECT_EQ(iso(micros_at({2026, 11, 23}, 22, 29, 50, 500'000), Zone::utc), "2026-11-23T22:29:50.5Z");
  EXPECT_EQ(iso(micros_at({-43, 3, 15}, 12), Zone::none), "-0043-03-15T12:00:00");
  EXPECT_EQ(iso(micros_at({0, 3, 15}), Zone::none), "0000-03-15T00:00:00");
  EXPECT_EQ(iso(micros_at({12026, 1, 1}), Zone::none), "+12026-01-01T00:00:00");
  EXPECT_EQ(iso(INT64_MIN, Zone::utc), "-infinity");
  std::string date;
  append_iso_date(date, -1);
  append_iso_date(date, INT32_MAX);
  EXPECT_EQ(date, "1969-12-31infinity");
}

TEST(IntervalTextTest, each_part_keeps_its_own_sign) {
  const std::pair<Interval, const char*> cases[] = {
      {{}, "PT0S"},
      {{14, -3, 14'706'500'000}, "P1Y2M-3DT4H5M6.5S"},
      {{-14, 3, -14'706'500'000}, "P-1Y-2M3DT-4H-5M-6.5S"},
      {{0, 0, -1}, "PT-0.000001S"},
      {{0, 0, 60'000'000}, "PT1M"},
      {{12, 0, 0}, "P1Y"},
      {{0, 400, 0}, "P400D"},
      {{0, 0, 100 * 3600 * kMicrosPerSecond}, "PT100H"},
      {{INT32_MAX, INT32_MIN, INT64_MAX}, "P178956970Y7M-2147483648DT2562047788H54.775807S"},
      {{INT32_MIN, 0, INT64_MIN}, "P-178956970Y-8MT-2562047788H-54.775808S"},
      {{INT32_MAX, INT32_MAX, INT64_MAX}, "infinity"},
      {{INT32_MIN, INT32_MIN, INT64_MIN}, "-infinity"}};
  for (const auto& [interval, text] : cases) {
    EXPECT_EQ(interval_text(interval), text);
    EXPECT_EQ(parse_interval(text), interval) << text;
  }
}

TEST(IntervalTextTest, other_text_and_sums_beyond_the_range_are_refused) {
  for (const auto* text : {"",
                           "P",
                           "PT",
                           "P1YT",
                           "1Y",
                           "P1",
                           "P1X",
                           "P1M1Y",
                           "P1Y1Y",
                           "PT1S1M",
                           "P1.5D",
                           "PT1.5H",
                           "P--1D",
                           "PT1",
                           "P1H",
                           "PT1D",
                           "P1DT1HT1M",
                           "P178956970Y8M",
                           "P2147483648D",
                           "PT2562047789H",
                           "P9999999999999999999D",
                           "PT1.S",
                           "PT1.1234567S",
                           "1 day",
                           "P1D "}) {
    EXPECT_EQ(parse_interval(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(TimestampTextTest, any_instant_reads_back, (std::int64_t micros)) {
  micros = micros % INT64_C(9'000'000'000'000'000'000);
  for (const auto zone : {Zone::none, Zone::utc}) {
    RC_ASSERT(parse_timestamp(timestamp_text(micros, zone), zone) == micros);
  }
}

RC_GTEST_PROP(DateTextTest, any_day_reads_back, (std::int32_t days)) {
  RC_ASSERT(parse_date(date_text(days)) == days);
}

RC_GTEST_PROP(IntervalTextTest, any_interval_reads_back,
              (std::int32_t months, std::int32_t days, std::int64_t micros)) {
  const Interval interval{months, days, micros};
  RC_ASSERT(parse_interval(interval_text(interval)) == interval);
}

RC_GTEST_PROP(TimestampTextTest, any_text_is_taken_or_refused_without_harm, (const std::string& text)) {
  parse_timestamp(text, Zone::utc);
  parse_date(text);
  parse_time(text);
  parse_interval("P" + text);
}

}  // namespace
}  // namespace maia
