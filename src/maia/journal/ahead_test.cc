// SPDX-License-Identifier: Apache-2.0
// Rows of a transaction that is still running, as cursors see them.
#include <functional>

#include "maia/journal/journal_fixture_test.h"

namespace maia::journal {
namespace {

using AheadTest = JournalTest;

Result<std::optional<WindowRef>> ahead(JournalCursor& cursor) {
  return cursor.next_ahead(std::chrono::milliseconds{0}, {});
}

std::vector<WindowRef> all_ahead(JournalCursor& cursor) {
  std::vector<WindowRef> windows;
  for (;;) {
    auto next = ahead(cursor);
    EXPECT_TRUE(next.ok()) << next.error().message;
    if (!next.ok() || !*next) return windows;
    windows.push_back(**next);
  }
}

TEST_F(AheadTest, rows_come_before_their_commit_to_who_asks_for_it) {
  open();
  ASSERT_TRUE(append(1).ok());
  auto plain = journal->read(Sequence{0}).value();
  auto cursor = journal->read(Sequence{0}).value();
  ASSERT_TRUE(fragment("t", 0, 3).ok());
  ASSERT_TRUE(fragment("t", 3, 5).ok());
  const auto before = all_ahead(*cursor);
  ASSERT_EQ(before.size(), 3U);
  EXPECT_EQ(ordinals({before[1], before[2]}), "0 1 2 3 4 ");
  for (const auto& piece : {before[1], before[2]}) {
    EXPECT_TRUE(piece->continues && piece->transactions.empty() && piece->end.empty());
    EXPECT_EQ(piece->sequence.value, 2U);
  }
  EXPECT_EQ(read_all(*plain).size(), 1U);

  ASSERT_TRUE(fragment("t", 5, 6).ok());
  ASSERT_TRUE(commit("t", "pos t").ok());
  ASSERT_TRUE(append(2).ok());
  const auto after = read_all(*cursor);
  ASSERT_EQ(after.size(), 3U);
  EXPECT_EQ(ordinals({after[0]}), "5 ");
  EXPECT_TRUE(after[1]->items.empty());
  EXPECT_FALSE(after[1]->continues);
  EXPECT_EQ(after[1]->sequence.value, 2U);
  EXPECT_EQ(after[1]->end.token, "pos t");
  EXPECT_EQ(after[1]->transactions.at(0).id, "t");
  EXPECT_EQ(after[2]->sequence.value, 3U);
  const auto in_order = read_all(*plain);
  ASSERT_EQ(in_order.size(), 4U);
  EXPECT_EQ(ordinals({in_order[0], in_order[1], in_order[2]}), "0 1 2 3 4 5 ");
}

TEST_F(AheadTest, rows_that_do_not_fit_in_memory_come_from_the_disk) {
  open(512, 0);
  auto cursor = journal->read(Sequence{0}).value();
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(fragment("t", 10 * i, 10 * i + 10).ok());
  ASSERT_GT(segment_files().size(), 2U);
  auto windows = all_ahead(*cursor);
  EXPECT_EQ(windows.size(), 20U);
  ASSERT_TRUE(commit("t", "p").ok());
  for (const auto& each : read_all(*cursor)) windows.push_back(each);
  EXPECT_EQ(ordinals(windows), ordinals(read_all(*journal)));
}

TEST_F(AheadTest, what_was_read_is_void_once_anything_else_comes_before_the_commit) {
  const std::vector<std::function<bool()>> others = {
      [&] { return append(1).ok(); },
      [&] { return abort("t", 3).ok(); },
      [&] { return abort("t", 0).ok(); },
      [&] { return fragment("u", 0, 1).ok() && commit("u", "pos u").ok(); },
      [&] { return appended({StreamEvent::Idle{Position{"0/99"}}}).ok(); },
      [&] { return journal->start(Epoch{2}).ok(); },
      [&] {
        journal->hold_until_synced(true);
        return true;
      },
  };
  for (std::size_t i = 0; i < others.size(); ++i) {
    SCOPED_TRACE(i);
    open();
    auto cursor = journal->read(journal->tail().sequence).value();
    ASSERT_TRUE(fragment("t", 0, 5).ok());
    ASSERT_EQ(ordinals(all_ahead(*cursor)), "0 1 2 3 4 ");
    ASSERT_TRUE(others[i]());
    const auto next = cursor->next(std::chrono::milliseconds{0}, {});
    ASSERT_FALSE(next.ok());
    EXPECT_EQ(next.error().code, Error::Code::cancelled);
  }
}

TEST_F(AheadTest, a_transaction_that_began_beside_another_is_not_handed_out_before_its_commit) {
  open();
  auto cursor = journal->read(Sequence{0}).value();
  ASSERT_TRUE(fragment("a", 0, 1).ok());
  ASSERT_TRUE(fragment("b", 0, 2).ok());
  ASSERT_TRUE(abort("a", 0).ok());
  ASSERT_TRUE(fragment("b", 2, 3).ok());
  EXPECT_TRUE(all_ahead(*cursor).empty());
  ASSERT_TRUE(commit("b", "p").ok());
  EXPECT_EQ(ordinals(all_ahead(*cursor)), "0 1 2 ");
}

}  // namespace
}  // namespace maia::journal
