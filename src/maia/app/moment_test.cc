// SPDX-License-Identifier: Apache-2.0
#include "maia/app/moment.h"

#include <gtest/gtest.h>

namespace maia::app {
namespace {

TEST(Moment, is_an_age_a_time_or_else_a_position) {
  constexpr WallMicros kNow = 1'000'000'000'000;
  EXPECT_EQ(parse_moment("10m", kNow)->time, kNow - 600'000'000);
  EXPECT_EQ(parse_moment("1970-01-01T00:00:01Z", kNow)->time, 1'000'000);
  EXPECT_EQ(parse_moment("1970-01-01 01:00:01.5+01", kNow)->time, 1'500'000);
  const auto place = parse_moment("0/16B3748", kNow);
  ASSERT_TRUE(place.ok());
  EXPECT_FALSE(place->time);
  EXPECT_EQ(place->position, "0/16B3748");
}

TEST(Moment, a_time_without_a_zone_is_refused_with_what_to_write) {
  const auto refused = parse_moment("2026-11-25 10:00:00", 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("2026-11-25 10:00:00Z"), std::string::npos);
  EXPECT_FALSE(parse_moment("", 0).ok());
}

}  // namespace
}  // namespace maia::app
