// SPDX-License-Identifier: Apache-2.0
#include "maia/types/float_text.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace maia {
namespace {

template <class T>
std::string text_of(T value) {
  std::string out;
  append_float(out, value);
  return out;
}

TEST(FloatTextTest, doubles_are_positional_between_the_exponents_minus_4_and_14) {
  EXPECT_EQ(text_of(0.0), "0");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(1.0), "1");
  EXPECT_EQ(text_of(-12.5), "-12.5");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(0.0001), "0.0001");
  EXPECT_EQ(text_of(0.00012345), "0.00012345");
  EXPECT_EQ(text_of(0.00001), "1e-05");
  EXPECT_EQ(text_of(100.0), "100");
  EXPECT_EQ(text_of(1e14), "100000000000000");
  EXPECT_EQ(text_of(999999999999999.0), "999999999999999");
  EXPECT_EQ(text_of(1e15), "1e+15");
  EXPECT_EQ(text_of(1234567890123456.0), "1.234567890123456e+15");
  EXPECT_EQ(text_of(1e20), "1e+20");
  EXPECT_EQ(text_of(1e100), "1e+100");
}

TEST(FloatTextTest, floats_are_positional_between_the_exponents_minus_4_and_5) {
  EXPECT_EQ(text_of(1.5f), "1.5");
  EXPECT_EQ(text_of(0.1f), "0.1");
  EXPECT_EQ(text_of(999999.0f), "999999");
  EXPECT_EQ(text_of(1e6f), "1e+06");
  EXPECT_EQ(text_of(1234567.0f), "1.234567e+06");
  EXPECT_EQ(text_of(0.0001f), "0.0001");
  EXPECT_EQ(text_of(0.00001f), "1e-05");
  EXPECT_EQ(text_of(16777216.0f), "1.6777216e+07");
}

TEST(FloatTextTest, extreme_numbers_have_their_shortest_text) {
  EXPECT_EQ(text_of(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(text_of(std::numeric_limits<double>::min()), "2.2250738585072014e-308");
  EXPECT_EQ(text_of(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(text_of(std::numeric_limits<float>::denorm_min()), "1e-45");
  EXPECT_EQ(text_of(std::numeric_limits<float>::max()), "3.4028235e+38");
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(text_of(std::numeric_limits<float>::infinity()), "Infinity");
}

TEST(FloatTextTest, parsing_takes_plain_and_exponent_notation) {
  EXPECT_EQ(parse_float<double>("-12.5"), -12.5);
  EXPECT_EQ(parse_float<double>("1e+20"), 1e20);
  EXPECT_EQ(parse_float<double>("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::signbit(parse_float<double>("-0").value()));
  EXPECT_TRUE(std::isnan(parse_float<float>("NaN").value()));
  EXPECT_EQ(parse_float<float>("-Infinity"), -std::numeric_limits<float>::infinity());
}

TEST(FloatTextTest, parsing_refuses_what_is_no_number_or_beyond_the_range) {
  for (const auto* text :
       {"", "-", "--1", "nan", "inf", "-inf", "0x10", "1.5 ", " 1", "1e400", "1,5", "1e", "+1"}) {
    EXPECT_EQ(parse_float<double>(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_float<float>("1e39"), std::nullopt);
}

RC_GTEST_PROP(FloatTextTest, any_double_reads_back_with_the_same_bits, (std::uint64_t bits)) {
  const auto value = std::bit_cast<double>(bits);
  RC_PRE(!std::isnan(value));
  const auto back = parse_float<double>(text_of(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(std::bit_cast<std::uint64_t>(*back) == bits);
}

RC_GTEST_PROP(FloatTextTest, any_float_reads_back_with_the_same_bits, (std::uint32_t bits)) {
  const auto value = std::bit_cast<float>(bits);
  RC_PRE(!std::isnan(value));
  const auto back = parse_float<float>(text_of(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(std::bit_cast<std::uint32_t>(*back) == bits);
}

}  // namespace
}  // namespace maia
