// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/local_journal.h"

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "maia/journal/journal_fixture_test.h"
#include "maia/testing/temporary_directory.h"

namespace maia::journal {
namespace {

using namespace std::chrono_literals;

TEST_F(JournalTest, windows_come_back_from_memory_and_from_disk_as_they_were_appended) {
  open();
  for (std::uint64_t i = 1; i <= 50; ++i) ASSERT_TRUE(append(i).ok());
  EXPECT_EQ(dumps(read_all(*journal)), expected);
  open();  // nothing is in memory any more
  EXPECT_EQ(dumps(read_all(*journal)), expected);
  EXPECT_EQ(journal->tail().sequence.value, 50U);
  EXPECT_EQ(journal->tail().position.token, "50");
  EXPECT_EQ(journal->tail().first.value, 1U);
}

TEST_F(JournalTest, a_cursor_that_keeps_up_gets_the_very_windows_of_the_appender) {
  open();
  auto first = journal->read(Sequence{0});
  auto second = journal->read(Sequence{0});
  ASSERT_TRUE(append(1).ok());
  const auto a = (*first)->next(0ms, {});
  const auto b = (*second)->next(0ms, {});
  ASSERT_TRUE(a.ok() && *a && b.ok() && *b);
  EXPECT_EQ((*a)->get(), (*b)->get());
}

TEST_F(JournalTest, cursors_lag_and_catch_up_across_segments) {
  open(4096, 2048);
  auto slow = journal->read(Sequence{0});
  auto fast = journal->read(Sequence{0});
  std::vector<std::string> seen;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(append(i, 5).ok());
    for (auto& text : dumps(read_all(**fast))) seen.push_back(text);
  }
  EXPECT_GT(segment_files().size(), 5U);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(dumps(read_all(**slow)), expected);
  ASSERT_TRUE(append(201).ok());
  EXPECT_EQ(read_all(**slow).size(), 1U);
}

TEST_F(JournalTest, a_cursor_may_begin_at_any_sequence) {
  open(4096, 2048);
  for (std::uint64_t i = 1; i <= 60; ++i) ASSERT_TRUE(append(i).ok());
  for (std::uint64_t after = 0; after <= 60; ++after) {
    const auto windows = dumps(read_all(*journal, after));
    const std::vector<std::string> rest(expected.begin() + static_cast<std::ptrdiff_t>(after),
                                        expected.end());
    ASSERT_EQ(windows, rest) << after;
  }
  const auto beyond = journal->read(Sequence{61});
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code, Error::Code::lost_history);
}

TEST_F(JournalTest, a_waiting_cursor_wakes_for_an_append_and_for_a_stop) {
  open();
  auto cursor = journal->read(Sequence{0});
  std::jthread appender([&] { EXPECT_TRUE(append(1).ok()); });
  const auto window = (*cursor)->next(1min, {});
  ASSERT_TRUE(window.ok() && *window);
  EXPECT_EQ((**window)->sequence.value, 1U);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto nothing = (*cursor)->next(1min, stop.get_token());
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(*nothing);
}

TEST_F(JournalTest, cursors_read_while_the_appender_writes_rolls_and_releases) {
  constexpr std::uint64_t kWindows = 400;
  open(4096, 4096);
  std::array<std::atomic<std::uint64_t>, 3> read_up_to{};
  std::vector<std::jthread> readers;
  for (auto& progress : read_up_to) {
    auto cursor = journal->read(Sequence{0});
    ASSERT_TRUE(cursor.ok());
    readers.emplace_back([&progress, reader = std::shared_ptr(std::move(cursor).value())] {
      while (progress < kWindows) {
        const auto next = reader->next(10s, {});
        ASSERT_TRUE(next.ok() && *next);
        ASSERT_EQ((**next)->sequence.value, progress + 1);
        ASSERT_EQ((**next)->end.token, std::to_string(progress + 1));
        progress = (**next)->sequence.value;
      }
    });
  }
  for (std::uint64_t i = 1; i <= kWindows; ++i) {
    ASSERT_TRUE(append(i).ok());
    if (i % 10 == 0) {
      ASSERT_TRUE(journal->sync().ok());
      const auto slowest = std::min({read_up_to[0].load(), read_up_to[1].load(), read_up_to[2].load()});
      ASSERT_TRUE(journal->release(Sequence{slowest}).ok());
    }
  }
  readers.clear();
  for (const auto& progress : read_up_to) EXPECT_EQ(progress, kWindows);
}

TEST_F(JournalTest, idle_is_a_window_without_rows_that_moves_the_position) {
  open();
  ASSERT_TRUE(appended({StreamEvent::Idle{Position{"0/99"}}}).ok());
  const auto windows = read_all(*journal);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0]->end.token, "0/99");
  EXPECT_TRUE(windows[0]->items.empty());
  EXPECT_EQ(journal->tail().position.token, "0/99");
}

TEST_F(JournalTest, streamed_transactions_that_interleave_come_whole_and_in_commit_order) {
  open(512);
  ASSERT_TRUE(journal->start(Epoch{1}).ok());
  ASSERT_TRUE(fragment("a", 0, 20).ok());
  ASSERT_TRUE(fragment("b", 0, 10).ok());
  ASSERT_TRUE(fragment("a", 20, 40).ok());
  ASSERT_TRUE(append(1).ok());
  ASSERT_TRUE(fragment("b", 10, 12).ok());
  ASSERT_TRUE(commit("b", "pos b").ok());
  ASSERT_TRUE(fragment("a", 40, 41).ok());
  ASSERT_TRUE(commit("a", "pos a").ok());
  for (const bool reopened : {false, true}) {
    if (reopened) open(512);
    const auto windows = read_all(*journal, 1);
    ASSERT_EQ(windows.size(), 5U);
    EXPECT_EQ(ordinals({windows[0], windows[1]}), "0 1 2 3 4 5 6 7 8 9 10 11 ");
    EXPECT_TRUE(windows[0]->continues);
    EXPECT_FALSE(windows[1]->continues);
    EXPECT_EQ(windows[0]->sequence.value, 2U);
    EXPECT_EQ(windows[1]->end.token, "pos b");
    EXPECT_TRUE(windows[2]->continues && windows[3]->continues);
    EXPECT_FALSE(windows[4]->continues);
    EXPECT_EQ(windows[4]->sequence.value, 3U);
    EXPECT_EQ(windows[4]->transactions.at(0).id, "a");
    EXPECT_EQ(windows[2]->items.size() + windows[3]->items.size() + windows[4]->items.size(), 3U);
  }
}

TEST_F(JournalTest, rows_that_were_rolled_back_never_come) {
  open();
  ASSERT_TRUE(fragment("t", 0, 5).ok());
  ASSERT_TRUE(fragment("t", 5, 10).ok());
  ASSERT_TRUE(abort("t", 3).ok());
  ASSERT_TRUE(fragment("t", 10, 12).ok());
  ASSERT_TRUE(abort("t", 11).ok());
  ASSERT_TRUE(fragment("t", 12, 13).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  ASSERT_TRUE(fragment("gone", 0, 5).ok());
  ASSERT_TRUE(abort("gone", 0).ok());
  const auto windows = read_all(*journal);
  EXPECT_EQ(ordinals(windows), "0 1 2 10 12 ");
  EXPECT_EQ(windows.back()->sequence.value, 1U);
}

TEST_F(JournalTest, barriers_that_were_rolled_back_never_come) {
  open();
  Window piece;
  piece.items.emplace_back(inserts(0, 2));
  piece.items.emplace_back(Truncate{{narrow}, false, false, 2});
  piece.items.emplace_back(inserts(3, 4));
  ASSERT_TRUE(appended({StreamEvent::Fragment{"t", std::move(piece)}}).ok());
  ASSERT_TRUE(abort("t", 2).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  const auto windows = read_all(*journal);
  ASSERT_EQ(windows.size(), 1U);
  ASSERT_EQ(windows[0]->items.size(), 1U);
  EXPECT_EQ(ordinals(windows), "0 1 ");
}

TEST_F(JournalTest, a_commit_without_rows_is_an_empty_transaction) {
  open();
  ASSERT_TRUE(fragment("t", 0, 5).ok());
  ASSERT_TRUE(abort("t", 0).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  const auto windows = read_all(*journal);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_TRUE(windows[0]->items.empty());
  EXPECT_FALSE(windows[0]->continues);
  EXPECT_EQ(windows[0]->transactions.size(), 1U);
  EXPECT_EQ(windows[0]->end.token, "p");
}

TEST_F(JournalTest, transactions_that_ran_before_a_start_are_dead) {
  open();
  ASSERT_TRUE(fragment("t", 0, 5).ok());
  ASSERT_TRUE(journal->start(Epoch{2}).ok());
  ASSERT_TRUE(fragment("t", 0, 2).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  EXPECT_EQ(ordinals(read_all(*journal)), "0 1 ");
}

TEST_F(JournalTest, release_removes_whole_segments_and_only_delivered_ones) {
  open(2048);
  for (std::uint64_t i = 1; i <= 60; ++i) ASSERT_TRUE(append(i).ok());
  const auto before = segment_files().size();
  const auto bytes = journal->disk_bytes();
  ASSERT_TRUE(journal->release(Sequence{30}).ok());
  EXPECT_LT(segment_files().size(), before);
  EXPECT_LT(journal->disk_bytes(), bytes);
  EXPECT_LE(journal->tail().first.value, 31U);
  EXPECT_GT(journal->tail().first.value, 20U);
  EXPECT_EQ(read_all(*journal, 30).size(), 30U);
  const auto gone = journal->read(Sequence{0});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, Error::Code::lost_history);
  open(2048);
  EXPECT_EQ(read_all(*journal, 30).size(), 30U);
}

TEST_F(JournalTest, release_keeps_what_a_running_or_undelivered_transaction_needs) {
  open(1024);
  ASSERT_TRUE(fragment("t", 0, 5).ok());
  for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(append(i).ok());
  ASSERT_TRUE(journal->release(Sequence{20}).ok());
  EXPECT_EQ(journal->tail().first.value, 1U);
  ASSERT_TRUE(commit("t", "p").ok());
  for (std::uint64_t i = 22; i <= 40; ++i) ASSERT_TRUE(append(i).ok());
  ASSERT_TRUE(journal->release(Sequence{20}).ok());
  EXPECT_EQ(journal->tail().first.value, 1U);
  open(1024);
  ASSERT_TRUE(journal->release(Sequence{20}).ok());
  EXPECT_EQ(ordinals({read_all(*journal, 20).front()}), "0 1 2 3 4 ");
  ASSERT_TRUE(journal->release(Sequence{21}).ok());
  EXPECT_GT(journal->tail().first.value, 1U);
  EXPECT_EQ(read_all(*journal, 21).size(), 19U);
}

TEST_F(JournalTest, a_cursor_that_retention_overtook_says_so) {
  open(2048, 1);
  for (std::uint64_t i = 1; i <= 60; ++i) ASSERT_TRUE(append(i).ok());
  auto cursor = journal->read(Sequence{0});
  ASSERT_TRUE(journal->release(Sequence{50}).ok());
  const auto next = (*cursor)->next(0ms, {});
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, Error::Code::lost_history);
}

TEST_F(JournalTest, reset_goes_on_after_the_given_sequence) {
  open(2048);
  for (std::uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(append(i).ok());
  ASSERT_TRUE(journal->reset(Sequence{1000}, Position{"far"}).ok());
  EXPECT_EQ(journal->tail().sequence.value, 1000U);
  EXPECT_EQ(journal->tail().position.token, "far");
  EXPECT_EQ(journal->tail().first.value, 1001U);
  ASSERT_TRUE(appended({StreamEvent::Changes{window(31)}}).ok());
  open(2048);
  EXPECT_EQ(journal->tail().sequence.value, 1001U);
  EXPECT_EQ(read_all(*journal, 1000).size(), 1U);
  EXPECT_TRUE(journal->latest_schemas().size() <= 1);
}

TEST_F(JournalTest, latest_schemas_follow_commits_and_survive_segments_and_restarts) {
  open(1024);
  auto second = std::make_shared<TableSchema>(*narrow);
  second->version = 2;
  ASSERT_TRUE(fragment("t", 0, 5).ok());
  EXPECT_TRUE(journal->latest_schemas().empty());
  Window piece;
  piece.items.emplace_back(SchemaChange{narrow, second, {}, 5});
  ASSERT_TRUE(appended({StreamEvent::Fragment{"t", std::move(piece)}}).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  for (std::uint64_t i = 2; i <= 40; ++i) {
    Window rows;
    rows.end.token = "x";
    ASSERT_TRUE(appended({StreamEvent::Changes{std::move(rows)}}).ok());
  }
  for (const bool reopened : {false, true}) {
    if (reopened) open(1024);
    const auto latest = journal->latest_schemas();
    ASSERT_EQ(latest.size(), 1U);
    EXPECT_EQ(latest[0]->version, 2U);
  }
  Window drop;
  drop.items.emplace_back(SchemaChange{second, nullptr, {}, 0});
  ASSERT_TRUE(appended({StreamEvent::Changes{std::move(drop)}}).ok());
  open(1024);
  EXPECT_TRUE(journal->latest_schemas().empty());
}

TEST_F(JournalTest, schemas_read_from_several_segments_are_one_object) {
  open(512, 1);
  for (std::uint64_t i = 0; i < 30; ++i) {
    Window rows;
    rows.items.emplace_back(inserts(0, 20));
    ASSERT_TRUE(appended({StreamEvent::Changes{std::move(rows)}}).ok());
  }
  ASSERT_GT(segment_files().size(), 3U);
  for (const auto& each : read_all(*journal)) {
    EXPECT_EQ(std::get<Batch>(each->items.at(0)).schema(), narrow);
  }
}

TEST(LocalJournalFiles, two_processes_cannot_have_one_journal) {
  const auto directory = testing::TemporaryDirectory::make();
  ASSERT_TRUE(directory.ok());
  const auto path = (*directory / "deep/journal").string();
  auto first = LocalJournal::open(system_disk(), {path});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = LocalJournal::open(system_disk(), {path});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Error::Code::unavailable);
  EXPECT_NE(second.error().message.find(path), std::string::npos);
  first.value().reset();
  EXPECT_TRUE(LocalJournal::open(system_disk(), {path}).ok());
}

TEST(LocalJournalFiles, real_files_hold_what_was_appended) {
  const auto directory = testing::TemporaryDirectory::make();
  ASSERT_TRUE(directory.ok());
  RandomWindows random(5);
  const auto schema = random.schema();
  std::vector<std::string> expected;
  {
    auto journal = LocalJournal::open(system_disk(), {directory->path().string(), 8192});
    ASSERT_TRUE(journal.ok());
    for (std::uint64_t i = 1; i <= 100; ++i) {
      auto window = random.window(schema, 10);
      window.sequence.value = i;
      expected.push_back(dump(window));
      ASSERT_TRUE((*journal)->append({StreamEvent::Changes{std::move(window)}}).ok());
    }
    ASSERT_TRUE((*journal)->sync().ok());
  }
  auto journal = LocalJournal::open(system_disk(), {directory->path().string(), 8192});
  ASSERT_TRUE(journal.ok());
  auto cursor = (*journal)->read(Sequence{0});
  for (const auto& text : expected) {
    const auto window = (*cursor)->next(0ms, {});
    ASSERT_TRUE(window.ok() && *window);
    EXPECT_EQ(dump(***window), text);
  }
}

TEST(LocalJournalFiles, a_directory_that_cannot_be_made_is_named) {
  const auto journal = LocalJournal::open(system_disk(), {"/proc/no such place/journal"});
  ASSERT_FALSE(journal.ok());
  EXPECT_EQ(journal.error().code, Error::Code::storage);
  EXPECT_NE(journal.error().message.find("/proc/no such place"), std::string::npos);
}

}  // namespace
}  // namespace maia::journal
