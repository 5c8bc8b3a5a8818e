// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/lookup.h"

#include "maia/journal/journal_fixture_test.h"
#include "maia/journal/journal_reader.h"

namespace maia::journal {
namespace {

constexpr WallMicros kNow = 1'000'000;

/// A journal whose sequence n is a transaction that committed at time 10 n, at position 10 n.
class LookupTest : public JournalTest {
 protected:
  static constexpr std::uint64_t kTransactions = 60;

  Status transaction(std::uint64_t number) {
    auto made = random.window(schema, 3);
    made.end.token = std::to_string(number * 10);
    made.transactions.push_back({made.end, "t", static_cast<WallMicros>(number * 10), 0});
    return appended({StreamEvent::Changes{std::move(made)}});
  }
  Status streamed(std::uint64_t number) {
    const Position at{std::to_string(number * 10)};
    for (std::uint64_t row = 0; row < 100; row += 10) MAIA_TRY(fragment("s", row, row + 10));
    return appended({StreamEvent::Commit{"s", {at, "s", static_cast<WallMicros>(number * 10), 0}}});
  }
  /// Every fifth transaction is a streamed one.
  void fill() {
    open(1500, 1);
    ASSERT_TRUE(journal->reset(Sequence{0}, Position{"1"}).ok());
    for (std::uint64_t i = 1; i <= kTransactions; ++i) {
      ASSERT_TRUE((i % 5 == 0 ? streamed(i) : transaction(i)).ok());
    }
    ASSERT_GT(segment_files().size(), 8U);
  }
  static PositionOrder order() {
    return {[](const Position& a, const Position& b) -> std::partial_ordering {
              if (a.token == "elsewhere" || b.token == "elsewhere") return std::partial_ordering::unordered;
              return std::stoull(a.token) <=> std::stoull(b.token);
            },
            [](const Position& position) { return "place " + position.token; }};
  }
};

TEST_F(LookupTest, the_sequence_before_a_commit_time_is_found_in_every_segment) {
  fill();
  const auto reader = JournalReader::open(disk, kDirectory);
  ASSERT_TRUE(reader.ok());
  for (WallMicros moment = 1; moment <= 620; ++moment) {
    const auto sequence = std::min<std::uint64_t>(static_cast<std::uint64_t>(moment - 1) / 10, kTransactions);
    const auto found = journal->before_time(moment, kNow);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->value, sequence) << moment;
    ASSERT_EQ((*reader)->before_time(moment, kNow)->value, sequence) << moment;
  }
}

TEST_F(LookupTest, the_sequence_up_to_a_position_is_found_in_every_segment) {
  fill();
  const auto reader = JournalReader::open(disk, kDirectory);
  ASSERT_TRUE(reader.ok());
  for (std::uint64_t place = 1; place <= 600; ++place) {
    const Position position{std::to_string(place)};
    const auto found = journal->up_to_position(position, order());
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->value, place / 10) << place;
    ASSERT_EQ((*reader)->up_to_position(position, order())->value, place / 10) << place;
  }
}

TEST_F(LookupTest, the_end_of_every_sequence_that_is_retained_is_found) {
  fill();
  const auto check = [&] {
    for (auto sequence = journal->tail().first.value - 1; sequence <= kTransactions; ++sequence) {
      const auto end = journal->end_of(Sequence{sequence});
      ASSERT_TRUE(end.ok()) << end.error().message;
      ASSERT_EQ(end->token, sequence == 0 ? "1" : std::to_string(sequence * 10));
    }
  };
  check();
  ASSERT_TRUE(journal->release(Sequence{30}).ok());
  ASSERT_GT(journal->tail().first.value, 1U);
  check();
  EXPECT_EQ(journal->end_of(Sequence{1}).error().code, Error::Code::lost_history);
}

TEST_F(LookupTest, what_is_retained_can_be_read_from_its_first_sequence_on_wherever_it_was_released) {
  fill();
  for (std::uint64_t through = 1; through <= kTransactions; ++through) {
    ASSERT_TRUE(journal->release(Sequence{through}).ok());
    const auto cursor = journal->read(Sequence{journal->tail().first.value - 1}).value();
    for (auto at = journal->tail().first.value; at <= kTransactions;) {
      const auto window = cursor->next(std::chrono::milliseconds{0}, {});
      ASSERT_TRUE(window.ok()) << through << ": " << window.error().message;
      ASSERT_TRUE(*window) << through;
      if (!(**window)->continues) ++at;
    }
  }
  EXPECT_GT(journal->tail().first.value, kTransactions / 2);
}

TEST_F(LookupTest, what_is_before_all_that_is_retained_is_lost_and_the_oldest_is_named) {
  fill();
  ASSERT_TRUE(journal->release(Sequence{30}).ok());
  const auto first = journal->tail().first.value;
  ASSERT_GT(first, 1U);
  const auto oldest = fmt::format("sequence {}, committed at 1970-01-01 00:00:00.000", first);
  const auto by_time = journal->before_time(static_cast<WallMicros>(first * 10 - 1), kNow);
  ASSERT_FALSE(by_time.ok());
  EXPECT_EQ(by_time.error().code, Error::Code::lost_history);
  EXPECT_NE(by_time.error().message.find(oldest), std::string::npos) << by_time.error().message;
  EXPECT_FALSE(by_time.error().hint.empty());
  const auto by_place = journal->up_to_position(Position{std::to_string(first * 10 - 11)}, order());
  ASSERT_FALSE(by_place.ok());
  EXPECT_EQ(by_place.error().code, Error::Code::lost_history);
  EXPECT_NE(by_place.error().message.find(oldest), std::string::npos) << by_place.error().message;
  EXPECT_EQ(journal->before_time(static_cast<WallMicros>(first * 10), kNow)->value, first - 1);
  EXPECT_EQ(journal->up_to_position(Position{std::to_string(first * 10 - 10)}, order())->value, first - 1);
}

TEST_F(LookupTest, what_is_before_a_journals_begin_but_after_its_source_position_is_there) {
  fill();
  EXPECT_EQ(journal->before_time(-5, kNow)->value, 0U);
  EXPECT_EQ(journal->up_to_position(Position{"1"}, order())->value, 0U);
  EXPECT_EQ(journal->up_to_position(Position{"0"}, order()).error().code, Error::Code::lost_history);
}

TEST_F(LookupTest, the_future_is_refused_in_words) {
  fill();
  const auto by_time = journal->before_time(kNow + 1, kNow);
  ASSERT_FALSE(by_time.ok());
  EXPECT_EQ(by_time.error().code, Error::Code::invalid_config);
  EXPECT_NE(by_time.error().message.find("is in the future"), std::string::npos);
  const auto by_place = journal->up_to_position(Position{"601"}, order());
  ASSERT_FALSE(by_place.ok());
  EXPECT_EQ(by_place.error().code, Error::Code::invalid_config);
  EXPECT_EQ(by_place.error().message, "place 601 is after what the journal holds, which ends at place 600");
}

TEST_F(LookupTest, a_position_of_another_history_is_refused) {
  fill();
  const auto found = journal->up_to_position(Position{"elsewhere"}, order());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, Error::Code::lost_history);
  EXPECT_NE(found.error().message.find("place elsewhere is not of the history"), std::string::npos);
}

TEST_F(LookupTest, an_empty_journal_has_nothing_after_any_time) {
  open();
  EXPECT_EQ(journal->before_time(5, kNow)->value, 0U);
  EXPECT_EQ(journal->up_to_position(Position{"5"}, order()).error().code, Error::Code::invalid_config);
}

TEST_F(LookupTest, segments_of_nothing_but_fragments_and_idle_positions_are_passed_over) {
  open(300, 1);
  ASSERT_TRUE(journal->reset(Sequence{0}, Position{"1"}).ok());
  ASSERT_TRUE(transaction(1).ok());
  for (std::uint64_t row = 0; row < 400; row += 20) ASSERT_TRUE(fragment("long", row, row + 20).ok());
  for (int i = 11; i < 20; ++i) {
    ASSERT_TRUE(appended({StreamEvent::Idle{Position{std::to_string(i)}}}).ok());
  }
  ASSERT_TRUE(commit("long", "20").ok());
  const auto last = journal->tail().sequence.value;
  for (const WallMicros moment : {1, 4, 5}) {
    // The fixture's commits are at 5, so this one goes back in time: found by its place all the same.
    EXPECT_LE(journal->before_time(moment, kNow)->value, 1U);
  }
  EXPECT_EQ(journal->before_time(11, kNow)->value, last);
  for (std::uint64_t place = 11; place < 20; ++place) {
    EXPECT_EQ(journal->up_to_position(Position{std::to_string(place)}, order())->value, place - 9);
  }
}

}  // namespace
}  // namespace maia::journal
