// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/retention.h"

#include <gtest/gtest.h>

#include <vector>

namespace maia::engine {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

constexpr WallMicros kHour = microseconds(hours(1)).count();
constexpr WallMicros kNow = 1000 * kHour;

/// Five parts of 100 bytes with ten sequences each; the newest transaction of part n is 5 - n hours old.
std::vector<Journal::Part> parts() {
  std::vector<Journal::Part> made;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    made.push_back({Sequence{i * 10}, 100, kNow - static_cast<WallMicros>(5 - i) * kHour});
  }
  return made;
}

Retention::Decision decide(const RetentionOptions& options, std::optional<std::uint64_t> delivered) {
  const auto through = delivered ? std::optional(Sequence{*delivered}) : std::nullopt;
  return Retention(options).decide(parts(), through, kNow);
}

std::optional<Sequence> through(std::uint64_t sequence) { return Sequence{sequence}; }

constexpr std::uint64_t kMuch = 1'000'000;

TEST(Retention, what_is_delivered_stays_until_it_is_old) {
  EXPECT_EQ(decide({.age = hours(24), .bytes = kMuch}, 50).through, std::nullopt);
  EXPECT_EQ(decide({.age = hours(3), .bytes = kMuch}, 50).through, through(20));
  EXPECT_EQ(decide({.age = hours(0), .bytes = kMuch}, 50).through, through(40));
}

TEST(Retention, what_is_delivered_stays_as_far_as_its_size_allows) {
  EXPECT_EQ(decide({.age = hours(24), .bytes = 500}, 50).through, std::nullopt);
  EXPECT_EQ(decide({.age = hours(24), .bytes = 499}, 50).through, through(10));
  EXPECT_EQ(decide({.age = hours(24), .bytes = 0}, 50).through, through(40));
}

TEST(Retention, the_part_that_is_being_written_never_goes) {
  const std::vector<Journal::Part> one{{Sequence{7}, 100, 0}};
  const auto decision =
      Retention({.age = hours(0), .bytes = 0, .max_bytes = 50}).decide(one, Sequence{7}, kNow);
  EXPECT_EQ(decision.through, std::nullopt);
  EXPECT_TRUE(decision.full);
}

TEST(Retention, a_destination_in_need_keeps_what_it_has_not_got) {
  EXPECT_EQ(decide({.age = hours(0), .bytes = 0}, 25).through, through(20));
  EXPECT_EQ(decide({.age = hours(0), .bytes = 0}, 9).through, std::nullopt);
}

TEST(Retention, an_unknown_destination_keeps_everything) {
  EXPECT_EQ(decide({.age = hours(0), .bytes = 0}, std::nullopt).through, std::nullopt);
}

TEST(Retention, the_limit_of_the_journal_comes_before_what_is_kept_for_replay) {
  const auto decision = decide({.age = hours(24), .bytes = kMuch, .max_bytes = 350}, 50);
  EXPECT_EQ(decision.through, through(20));
  EXPECT_FALSE(decision.full);
}

TEST(Retention, a_journal_at_its_limit_that_is_still_needed_is_full) {
  const auto decision = decide({.age = hours(24), .bytes = kMuch, .max_bytes = 350}, 15);
  EXPECT_EQ(decision.through, through(10));
  EXPECT_TRUE(decision.full);
}

TEST(Retention, with_drop_behind_age_size_and_limit_pass_a_destination_in_need) {
  EXPECT_EQ(decide({.age = hours(3), .bytes = kMuch, .drop_behind = true}, 0).through, through(20));
  EXPECT_EQ(decide({.age = hours(24), .bytes = 300, .drop_behind = true}, 0).through, through(20));
  const auto limited = decide({.age = hours(24), .bytes = kMuch, .max_bytes = 350, .drop_behind = true}, {});
  EXPECT_EQ(limited.through, through(20));
  EXPECT_FALSE(limited.full);
}

TEST(Retention, parts_without_a_transaction_are_old) {
  const std::vector<Journal::Part> two{{Sequence{7}, 100, 0}, {Sequence{8}, 100, kNow}};
  EXPECT_EQ(Retention({.age = hours(24), .bytes = kMuch}).decide(two, Sequence{8}, kNow).through, through(7));
}

}  // namespace
}  // namespace maia::engine
