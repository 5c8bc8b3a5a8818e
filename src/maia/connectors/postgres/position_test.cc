// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/position.h"

#include <gtest/gtest.h>

namespace maia::postgres {
namespace {

Position at(std::uint64_t system, std::uint32_t timeline, Lsn lsn) {
  return LogPlace{system, timeline, lsn}.position();
}

TEST(LogPlaceTest, a_token_is_read_back_as_it_was) {
  for (const auto& place : {LogPlace{7423011223344556677, 1, 0x16B3748}, LogPlace{0, 0, 0},
                            LogPlace{UINT64_MAX, UINT32_MAX, UINT64_MAX}}) {
    const auto read = LogPlace::parse(place.position());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, place);
  }
  EXPECT_EQ(at(7, 2, 0x1A0000000B).token, "7/2/1A0000000B");
}

TEST(LogPlaceTest, a_token_carries_the_heartbeat_without_a_say_in_the_order) {
  const LogPlace place{7, 1, 0x1B, {105, 0x9F3A12BC}};
  EXPECT_EQ(place.position().token, "7/1/1B/105-9f3a12bc");
  EXPECT_EQ(LogPlace::parse(place.position()).value(), place);
  EXPECT_EQ(LogPlace::parse(Position{"7/1/1B/1-0000000c"}).value().beat, (Beat{1, 12}));
  EXPECT_TRUE(compare(place.position(), at(7, 1, 0x1B)) == 0);
  EXPECT_TRUE(compare(place.position(), at(7, 1, 0x1C)) < 0);
  for (const auto* token :
       {"7/1/1B/", "7/1/1B/5", "7/1/1B/0-9f3a12bc", "7/1/1B/5-9f3a12b", "7/1/1B/5-9f3a12bc0",
        "7/1/1B/5-9F3A12BC", "7/1/1B/05-9f3a12bc", "7/1/1B/5-9f3a12bc/"}) {
    EXPECT_FALSE(LogPlace::parse(Position{token}).ok()) << token;
  }
}

TEST(LogPlaceTest, what_is_no_token_is_refused) {
  for (const auto* token :
       {"", "/", "//", "1/2", "1/2/", "1/2/3/4", "1/2/3/", " 1/2/3", "1/2/3 ", "-1/2/3", "1/+2/3", "01/2/3",
        "1/2/G", "1/2/0x3", "99999999999999999999/1/1", "1/4294967296/1", "1/1/10000000000000000", "a/b/c"}) {
    const auto read = LogPlace::parse(Position{token});
    EXPECT_FALSE(read.ok()) << token;
  }
  const auto whole = at(7423011223344556677, 12, 0x16B3748).token;
  for (std::size_t length = 0; length < whole.find_last_of('/') + 1; ++length) {
    EXPECT_FALSE(LogPlace::parse(Position{whole.substr(0, length)}).ok());
  }
  EXPECT_FALSE(LogPlace::parse(Position{std::string("1/2/3\0", 6)}).ok());
}

TEST(LogPlaceTest, positions_are_ordered_within_one_history_only) {
  EXPECT_TRUE(compare(at(7, 1, 5), at(7, 1, 6)) < 0);
  EXPECT_TRUE(compare(at(7, 1, 6), at(7, 1, 6)) == 0);
  EXPECT_TRUE(compare(Position{}, at(7, 1, 0)) < 0);
  EXPECT_TRUE(compare(Position{}, Position{}) == 0);
  EXPECT_EQ(compare(at(7, 1, 5), at(8, 1, 6)), std::partial_ordering::unordered);
  EXPECT_EQ(compare(Position{"x"}, at(8, 1, 6)), std::partial_ordering::unordered);
  // A promoted standby goes on from where it was; what the old primary wrote after that is another history.
  EXPECT_TRUE(compare(at(7, 1, 5), at(7, 2, 6)) < 0);
  EXPECT_TRUE(compare(at(7, 2, 6), at(7, 1, 5)) > 0);
  EXPECT_EQ(compare(at(7, 1, 9), at(7, 2, 6)), std::partial_ordering::unordered);
}

TEST(LogPlaceTest, log_places_are_spelled_as_the_server_does) {
  EXPECT_EQ(to_string(Lsn{0x16B3748}), "0/16B3748");
  EXPECT_EQ(to_string(Lsn{0x1A0000000B}), "1A/B");
  EXPECT_EQ(parse_lsn("1A/B").value(), 0x1A0000000Bu);
  for (const auto* bad : {"", "/", "1", "1/", "/1", "1/1/1", "G/1", "100000000/0", "-1/0"}) {
    EXPECT_FALSE(parse_lsn(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace maia::postgres
