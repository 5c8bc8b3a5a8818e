// SPDX-License-Identifier: Apache-2.0
#include "maia/config/scalar.h"

#include <gtest/gtest.h>

namespace maia::config {
namespace {

using namespace std::chrono_literals;

TEST(Scalar, durations_need_a_unit) {
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("1h 30m"), 90min);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("7 d"), 168h);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const auto* wrong :
       {"", "5", "s", "-1s", "5x", "1e3s", "5s x", "0.0000001us", "99999999999d", ".", "1..5s"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Scalar, sizes_take_decimal_and_binary_units) {
  EXPECT_EQ(parse_byte_size("64 MB"), (ByteSize{64'000'000}));
  EXPECT_EQ(parse_byte_size("1GiB"), ByteSize::gib(1));
  EXPECT_EQ(parse_byte_size("1.5 kib"), (ByteSize{1536}));
  EXPECT_EQ(parse_byte_size("4096"), (ByteSize{4096}));
  for (const auto* wrong : {"", "MB", "-1", "1 XB", "1 MB 2", "1.5", "99999999999 TB", "1 MB MB"})
    EXPECT_FALSE(parse_byte_size(wrong)) << wrong;
}

TEST(Scalar, numbers_take_the_whole_text) {
  EXPECT_EQ(parse_integer("+7"), 7);
  EXPECT_EQ(parse_integer("-7"), -7);
  for (const auto* wrong : {"", "7 ", "0x7", "7.0", "9223372036854775808", "+-7"})
    EXPECT_FALSE(parse_integer(wrong)) << wrong;
  EXPECT_EQ(parse_number("1e-3"), 0.001);
  for (const auto* wrong : {"", "nan", "inf", "1,5"}) EXPECT_FALSE(parse_number(wrong)) << wrong;
}

TEST(Scalar, booleans_are_two_words_only) {
  EXPECT_EQ(parse_boolean("true"), true);
  EXPECT_EQ(parse_boolean("false"), false);
  for (const auto* wrong : {"", "yes", "no", "on", "off", "True", "1"})
    EXPECT_FALSE(parse_boolean(wrong)) << wrong;
}

TEST(Scalar, written_values_parse_back) {
  for (auto d : {0us, 1us, 1500us, 2'000'000us, 90'000'000us, 3'600'000'000us})
    EXPECT_EQ(parse_duration(to_string(d)), d) << to_string(d);
  for (std::uint64_t b : {0ULL, 1ULL, 1000ULL, 1024ULL, 64'000'000ULL, 1ULL << 40})
    EXPECT_EQ(parse_byte_size(to_string(ByteSize{b})), ByteSize{b}) << to_string(ByteSize{b});
}

}  // namespace
}  // namespace maia::config
