// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/confirm.h"

#include <gtest/gtest.h>

#include <vector>

#include "maia/testing/memory_source.h"

namespace maia::engine {
namespace {

using When = ConfirmOptions::When;

class Listening final : public Stream {
 public:
  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds, std::stop_token) override {
    return std::optional<StreamEvent>();
  }
  Status confirm(const Position& durable) override {
    told.push_back(durable.token);
    return {};
  }
  std::optional<std::uint64_t> lag_bytes() const override { return {}; }

  std::vector<std::string> told;
};

/// Two destinations, a and b; positions are numbers, and so are sequences.
class ConfirmTest : public ::testing::Test {
 protected:
  static void delivered(Confirm& confirm, const std::string& destination, std::uint64_t up_to) {
    confirm.durable(destination, Sequence{up_to}, Position{std::to_string(up_to)});
  }
  std::vector<std::string> tell(Confirm& confirm) {
    EXPECT_TRUE(confirm.tell(stream_).ok());
    return std::exchange(stream_.told, {});
  }
  using Told = std::vector<std::string>;

  testing::MemoryDatabase database_{1};
  testing::Faults none_{[](std::string_view) { return std::optional<Error>(); }};
  testing::MemorySource source_{database_, none_};
  Listening stream_;
};

TEST_F(ConfirmTest, by_default_the_oldest_destination_counts_and_nothing_is_told_twice) {
  Confirm confirm(source_);
  confirm.expect("a");
  confirm.expect("b");
  delivered(confirm, "a", 10);
  confirm.journaled(Position{"99"});
  EXPECT_EQ(tell(confirm), Told{});
  delivered(confirm, "b", 7);
  EXPECT_EQ(tell(confirm), Told{"7"});
  EXPECT_EQ(tell(confirm), Told{});
  delivered(confirm, "b", 30);
  EXPECT_EQ(tell(confirm), Told{"10"});
  EXPECT_EQ(confirm.farthest_behind(), "a");
  EXPECT_FALSE(confirm.relies_on_journal());
}

TEST_F(ConfirmTest, journaled_confirms_what_the_journal_has_even_if_no_destination_is_there) {
  Confirm confirm(source_, {.when = When::journaled});
  confirm.expect("a");
  EXPECT_EQ(tell(confirm), Told{});
  confirm.journaled(Position{"50"});
  EXPECT_EQ(tell(confirm), Told{"50"});
  EXPECT_TRUE(confirm.relies_on_journal());
  delivered(confirm, "a", 60);
  EXPECT_EQ(tell(confirm), Told{"60"});
}

TEST_F(ConfirmTest, past_the_limit_the_journal_counts_and_below_it_the_destinations_again) {
  Confirm confirm(source_, {.retain_at_source = 1000});
  confirm.expect("a");
  delivered(confirm, "a", 5);
  confirm.journaled(Position{"50"});
  confirm.held(1000);
  EXPECT_FALSE(confirm.over_limit());
  EXPECT_EQ(tell(confirm), Told{"5"});
  confirm.held(1001);
  EXPECT_TRUE(confirm.over_limit());
  EXPECT_EQ(tell(confirm), Told{"50"});
  confirm.held(10);
  delivered(confirm, "a", 40);
  EXPECT_EQ(tell(confirm), Told{}) << "the source was told more already";
  EXPECT_TRUE(confirm.relies_on_journal()) << "a lacks what the source may have discarded";
  delivered(confirm, "a", 50);
  EXPECT_FALSE(confirm.relies_on_journal());
  delivered(confirm, "a", 70);
  EXPECT_EQ(tell(confirm), Told{"70"});
}

TEST_F(ConfirmTest, what_an_earlier_run_may_have_confirmed_is_relied_on_until_all_have_it) {
  Confirm confirm(source_);
  confirm.expect("a");
  confirm.inherited(Position{"20"});
  delivered(confirm, "a", 19);
  EXPECT_TRUE(confirm.relies_on_journal());
  delivered(confirm, "a", 20);
  EXPECT_FALSE(confirm.relies_on_journal());
}

TEST_F(ConfirmTest, a_source_that_cannot_tell_what_it_holds_is_never_over_the_limit) {
  Confirm confirm(source_, {.retain_at_source = 0});
  confirm.held(std::nullopt);
  EXPECT_FALSE(confirm.over_limit());
}

TEST_F(ConfirmTest, a_new_stream_is_told_again) {
  Confirm confirm(source_);
  confirm.expect("a");
  delivered(confirm, "a", 5);
  EXPECT_EQ(tell(confirm), Told{"5"});
  confirm.reconnected();
  EXPECT_EQ(tell(confirm), Told{"5"});
}

}  // namespace
}  // namespace maia::engine
