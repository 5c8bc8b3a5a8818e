// SPDX-License-Identifier: Apache-2.0
// Compares the canonical text with what a real PostgreSQL prints.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <random>

#include "maia/testing/postgres_server.h"
#include "maia/types/float_text.h"
#include "maia/types/value_text.h"

namespace maia {
namespace {

constexpr std::string_view kSettings =
    "set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; set timezone = 'UTC'; set extra_float_digits = "
    "3; "
    "set bytea_output = 'hex'; ";

/// The texts of a list of SQL expressions of one type.
std::vector<std::string> printed_by_postgres(std::string_view type, const std::vector<std::string>& values) {
  std::string sql(kSettings);
  sql += "select format('%s', v) from (values ";
  for (std::size_t i = 0; i < values.size(); ++i) {
    sql += fmt::format("{}({}, '{}'::{})", i == 0 ? "" : ", ", i, values[i], type);
  }
  sql += ") as t(i, v) order by i";
  const auto rows = testing::shared_postgres().query(sql);
  std::vector<std::string> texts;
  if (!rows.ok()) {
    ADD_FAILURE() << rows.error().message;
    return texts;
  }
  for (const auto& row : rows.value()) texts.push_back(row[0].value_or("NULL"));
  return texts;
}

void expect_same_text(const Type& type, std::string_view postgres_type,
                      const std::vector<std::string>& values) {
  for (const auto& text : printed_by_postgres(postgres_type, values)) {
    ColumnVector column(physical(type));
    ASSERT_TRUE(push_value_text(column, type, text).ok()) << postgres_type << " " << text;
    std::string out;
    append_value_text(out, type, column, 0);
    EXPECT_EQ(out, text);
  }
}

TEST(ValueTextAgainstPostgresTest, dates_times_and_intervals_are_equal) {
  expect_same_text(Type::of(TypeId::date), "date",
                   {"2026-11-23", "0044-03-15 BC", "4714-11-24 BC", "5874897-12-31", "10000-01-01",
                    "0001-01-01", "0001-12-31 BC", "infinity", "-infinity", "2000-02-29", "1900-02-28"});
  expect_same_text(Type::of(TypeId::time), "time",
                   {"00:00", "24:00", "23:59:59.999999", "12:00:00.5", "00:00:00.000001", "23:59:60"});
  const std::vector<std::string> instants = {"2026-11-23 22:29:50.5",
                                             "1969-12-31 23:59:59.999999",
                                             "0044-03-15 12:00 BC",
                                             "4714-11-24 00:00 BC",
                                             "294247-01-10 04:00:54.775806",
                                             "10000-01-01 00:00",
                                             "infinity",
                                             "-infinity",
                                             "0001-01-01 00:00"};
  expect_same_text(Type::of(TypeId::timestamp), "timestamp", instants);
  expect_same_text(Type::of(TypeId::timestamp_tz), "timestamptz", instants);
  expect_same_text(
      Type::of(TypeId::interval), "interval",
      {"0", "1 year 2 mons -3 days 04:05:06.5", "-1 year -2 mons 3 days -04:05:06.5", "-0.000001 s", "1 min",
       "100 hours", "2147483647 months 2147483647 days", "-2147483648 months", "2562047788 hours 54.775807 s",
       "-2562047788 hours -54.775808 s", "59 s", "-1 min 0.5 s"});
}

TEST(ValueTextAgainstPostgresTest, a_zoned_instant_printed_in_any_zone_reads_as_the_same_instant) {
  for (const auto* zone : {"Asia/Kolkata", "Africa/Monrovia", "America/St_Johns", "Europe/Amsterdam"}) {
    for (const auto* instant :
         {"2026-11-23 22:29:50.5+00", "1900-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC"}) {
      const auto rows = testing::shared_postgres().query(fmt::format(
          "set datestyle = 'ISO'; set timezone = '{}'; select '{}'::timestamptz::text", zone, instant));
      ASSERT_TRUE(rows.ok()) << rows.error().message;
      const auto type = Type::of(TypeId::timestamp_tz);
      ColumnVector column(physical(type));
      ASSERT_TRUE(push_value_text(column, type, *rows.value()[0][0]).ok()) << *rows.value()[0][0];
      std::string out;
      append_value_text(out, type, column, 0);
      EXPECT_EQ(out, instant) << zone;
    }
  }
}

TEST(ValueTextAgainstPostgresTest, other_types_are_equal) {
  expect_same_text(Type::of(TypeId::boolean), "boolean", {"true", "false"});
  expect_same_text(Type::of(TypeId::int64), "int8", {"-9223372036854775808", "0", "9223372036854775807"});
  expect_same_text(Type::decimal(20, 5), "numeric(20,5)",
                   {"-12.5", "0", "0.00001", "NaN", "999999999999999.99999"});
  expect_same_text(Type::decimal(0, 0), "numeric",
                   {"-12.50", "1e100", "1e-100", "NaN", "Infinity", "-Infinity", "-0"});
  expect_same_text(Type::of(TypeId::bytes), "bytea", {"", "\\x00FF", "maia"});
  expect_same_text(Type::of(TypeId::uuid), "uuid", {"00112233-4455-6677-8899-AABBCCDDEEFF"});
}

template <class T>
void expect_same_floats(std::string_view postgres_type, const std::vector<T>& values) {
  std::vector<std::string> exact;
  for (const auto value : values) exact.push_back(fmt::format("{:.17g}", value));
  const auto texts = printed_by_postgres(postgres_type, exact);
  ASSERT_EQ(texts.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string out;
    append_float(out, values[i]);
    ASSERT_EQ(out, texts[i]) << exact[i];
  }
}

TEST(ValueTextAgainstPostgresTest, doubles_are_equal_digit_for_digit) {
  std::mt19937_64 random(7);
  std::vector<double> values = {0.0, -0.0, 1e14, 1e15, 0.0001, 0.00001, 5e-324, 1.7976931348623157e308};
  for (int exponent = -1074; exponent < 1024; ++exponent) values.push_back(std::ldexp(1.0, exponent));
  for (int exponent = -320; exponent < 308; ++exponent) values.push_back(std::pow(10.0, exponent));
  for (int i = 0; i < 4000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) values.push_back(value);
    // Few significant digits or bits at a large exponent: where decimals lie halfway between two doubles.
    const auto few = static_cast<double>(random() % 100'000);
    values.push_back(few * std::pow(10.0, static_cast<double>(random() % 23)));
    values.push_back(
        std::ldexp(static_cast<double>((random() >> 11) & ~1ull), static_cast<int>(random() % 40) - 2));
    values.push_back(few / 1000);
  }
  expect_same_floats("float8", values);
}

TEST(ValueTextAgainstPostgresTest, floats_are_equal_digit_for_digit) {
  std::mt19937 random(7);
  std::vector<float> values = {0.0f, -0.0f, 1e5f, 1e6f, 0.0001f, 0.00001f, 3.4028235e38f};
  for (int exponent = -149; exponent < 128; ++exponent) values.push_back(std::ldexp(1.0f, exponent));
  for (int i = 0; i < 8000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) values.push_back(value);
    values.push_back(
        std::ldexp(static_cast<float>((random() >> 8) & ~1u), static_cast<int>(random() % 30) - 3));
  }
  expect_same_floats("float4", values);
}

}  // namespace
}  // namespace maia
