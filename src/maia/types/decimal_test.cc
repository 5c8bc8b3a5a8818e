// SPDX-License-Identifier: Apache-2.0
#include "maia/types/decimal.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace maia {
namespace {

std::string text_of(int128 value, unsigned scale) {
  std::string out;
  append_decimal(out, value, scale);
  return out;
}

int128 largest() {
  int128 value = 1;
  for (int i = 0; i < 38; ++i) value *= 10;
  return value - 1;
}

TEST(DecimalTest, there_are_always_scale_digits_behind_the_point) {
  EXPECT_EQ(text_of(-1250, 2), "-12.50");
  EXPECT_EQ(text_of(0, 0), "0");
  EXPECT_EQ(text_of(0, 3), "0.000");
  EXPECT_EQ(text_of(5, 3), "0.005");
  EXPECT_EQ(text_of(-5, 1), "-0.5");
  EXPECT_EQ(text_of(1234, 0), "1234");
  EXPECT_EQ(text_of(largest(), 38), "0." + std::string(38, '9'));
  EXPECT_EQ(text_of(-largest(), 0), "-" + std::string(38, '9'));
}

TEST(DecimalTest, special_values_have_names) {
  EXPECT_EQ(text_of(kDecimalNaN, 2), "NaN");
  EXPECT_EQ(text_of(kDecimalPlusInfinity, 2), "Infinity");
  EXPECT_EQ(text_of(kDecimalMinusInfinity, 2), "-Infinity");
  EXPECT_TRUE(parse_decimal("NaN", 2) == kDecimalNaN);
  EXPECT_TRUE(parse_decimal("Infinity", 2) == kDecimalPlusInfinity);
  EXPECT_TRUE(parse_decimal("-Infinity", 2) == kDecimalMinusInfinity);
}

TEST(DecimalTest, parsing_scales_and_takes_exponents) {
  EXPECT_TRUE(parse_decimal("12.5", 2) == int128{1250});
  EXPECT_TRUE(parse_decimal("-.5", 1) == int128{-5});
  EXPECT_TRUE(parse_decimal("1.", 1) == int128{10});
  EXPECT_TRUE(parse_decimal("1.500", 1) == int128{15});
  EXPECT_TRUE(parse_decimal("1.5e3", 0) == int128{1500});
  EXPECT_TRUE(parse_decimal("1500E-2", 0) == int128{15});
  EXPECT_TRUE(parse_decimal("0e900", 0) == int128{0});
  EXPECT_TRUE(parse_decimal("00012", 0) == int128{12});
  EXPECT_TRUE(parse_decimal(std::string(38, '9'), 0) == largest());
}

TEST(DecimalTest, digits_that_do_not_fit_are_refused_not_rounded) {
  EXPECT_FALSE(parse_decimal("1.25", 1));
  EXPECT_FALSE(parse_decimal("1e-1", 0));
  EXPECT_FALSE(parse_decimal("1" + std::string(38, '0'), 0));
  EXPECT_FALSE(parse_decimal(std::string(38, '9'), 1));
  EXPECT_FALSE(parse_decimal("1e38", 0));
}

TEST(DecimalTest, other_text_is_refused) {
  for (const auto* text : {"", "-", "+", ".", "-.", "1.2.3", "1e", "1e+", "1e+-5", "1e--5", "e5", "0x1", " 1",
                           "1 ", "nan", "1e99999999999", "--1"}) {
    EXPECT_FALSE(parse_decimal(text, 4)) << text;
  }
}

RC_GTEST_PROP(DecimalTest, any_decimal_reads_back, (std::int64_t high, std::uint64_t low)) {
  const int128 value = ((int128{high} << 64) | low) % (largest() + 1);
  const auto scale = *rc::gen::inRange(0u, 39u);
  RC_ASSERT((parse_decimal(text_of(value, scale), scale) == value));
}

}  // namespace
}  // namespace maia
