// SPDX-License-Identifier: Apache-2.0
// A disk that fails at any call, and is well again later: the journal is mended and goes on.
#include "maia/journal/journal_fixture_test.h"
#include "maia/journal/journal_reader.h"

namespace maia::journal {
namespace {

using Fault = FaultDisk::Fault;

constexpr std::uint64_t kSequences = 18;
constexpr std::uint64_t kSegmentBytes = 1200;

/// Plays the engine: sends a fixed log of events from the journal's tail on, and begins there again after
/// each error, as a source does. Sequence n is the transaction at position n; each third one is streamed.
class FaultTest : public JournalTest {
 protected:
  struct Run {
    FaultDisk disk;
    std::unique_ptr<LocalJournal> journal;
    std::unique_ptr<JournalCursor> cursor;
    std::vector<std::string> seen;
    std::uint64_t errors = 0;
    std::uint64_t epoch = 0;
    std::uint64_t synced = 0;
  };

  static void expect_named(const Error& error) {
    EXPECT_EQ(error.code, Error::Code::storage) << error.message;
    EXPECT_EQ(error.recovery, Recovery::retry) << error.message;
    EXPECT_NE(error.message.find(kDirectory), std::string::npos) << error.message;
    EXPECT_FALSE(error.hint.empty());
  }

  Status send(LocalJournal& into, std::uint64_t number) {
    const Position at{std::to_string(number)};
    if (number % 3 != 0) {
      Window changes;
      changes.end = at;
      changes.transactions.push_back({at, "t", 1, 0});
      changes.items.emplace_back(inserts(number * 100, number * 100 + 3));
      MAIA_TRY(into.append({StreamEvent::Changes{std::move(changes)}}));
      return {};
    }
    const auto name = "s" + at.token;
    for (std::uint64_t row = 0; row < 30; row += 10) {
      Window piece;
      piece.items.emplace_back(inserts(row, row + 10));
      MAIA_TRY(into.append({StreamEvent::Fragment{name, std::move(piece)}}));
    }
    MAIA_TRY(into.append({StreamEvent::Abort{name, 25}}));
    MAIA_TRY(into.append({StreamEvent::Commit{name, {at, name, 1, 0}}}));
    return {};
  }

  /// One attempt to get to the end; its error otherwise.
  Status attempt(Run& run) {
    MAIA_TRY(run.journal->mend());
    MAIA_TRY(run.journal->start(Epoch{++run.epoch}));
    for (auto next = run.journal->tail().sequence.value + 1; next <= kSequences; ++next) {
      EXPECT_EQ(run.journal->tail().position.token, next == 1 ? "" : std::to_string(next - 1));
      MAIA_TRY(send(*run.journal, next));
      if (next % 2 == 0) run.synced = MAIA_TRY(run.journal->sync()).value;
      MAIA_TRY(look(run));
      if (next == 15) MAIA_TRY(run.journal->release(Sequence{12}));
    }
    run.synced = MAIA_TRY(run.journal->sync()).value;
    return look(run);
  }
  /// A destination that keeps up with the journal.
  Status look(Run& run) {
    if (!run.cursor) run.cursor = MAIA_TRY(run.journal->read(Sequence{run.seen.size()}));
    for (;;) {
      auto next = run.cursor->next(std::chrono::milliseconds(0), {});
      if (!next.ok()) {
        // It begins the transaction again, as a delivery does.
        run.cursor.reset();
        pieces_.clear();
        return std::move(next).error();
      }
      if (!*next) return {};
      pieces_.push_back(**next);
      if ((**next)->continues) continue;
      EXPECT_EQ((**next)->sequence.value, run.seen.size() + 1);
      run.seen.push_back(ordinals(pieces_));
      pieces_.clear();
    }
  }
  static std::string expected_rows(std::uint64_t number) {
    std::string text;
    const auto first = number % 3 == 0 ? 0 : number * 100;
    for (std::uint64_t i = 0; i < (number % 3 == 0 ? 25U : 3U); ++i) text += fmt::format("{} ", first + i);
    return text;
  }

  void play(Run& run) {
    for (int attempts = 0; attempts < 20; ++attempts) {
      const auto done = attempt(run);
      if (done.ok()) break;
      ++run.errors;
      expect_named(done.error());
    }
    ASSERT_EQ(run.seen.size(), kSequences);
    for (std::uint64_t i = 1; i <= kSequences; ++i) ASSERT_EQ(run.seen[i - 1], expected_rows(i)) << i;
  }

  std::vector<WindowRef> pieces_;
};

TEST_F(FaultTest, any_call_may_fail_and_the_journal_goes_on_when_the_disk_is_well) {
  for (const auto& [fault, in_a_row] : {std::pair{Fault::no_space, 1}, {Fault::io_error, 3}}) {
    bool failed = true;
    std::uint64_t call = 1;
    for (; failed; ++call) {
      SCOPED_TRACE(fmt::format("call {}, {} in a row", call, in_a_row));
      Run run;
      auto opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
      ASSERT_TRUE(opened.ok());
      run.journal = std::move(opened).value();
      run.disk.fail_calls(call, static_cast<std::uint64_t>(in_a_row), fault);
      ASSERT_NO_FATAL_FAILURE(play(run));
      failed = run.errors > 0;
      // What was synced survives the power, whatever failed before.
      run.cursor.reset();
      run.disk.crash(call % 2 == 0 ? FaultDisk::Crash::forget : FaultDisk::Crash::tear);
      run.journal.reset();
      opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
      ASSERT_TRUE(opened.ok()) << opened.error().message;
      ASSERT_EQ((*opened)->tail().sequence.value, kSequences);
      ASSERT_EQ((*opened)->tail().position.token, std::to_string(kSequences));
      ASSERT_LE((*opened)->tail().first.value, 13U);
      ASSERT_FALSE(read_all(**opened, 12).empty());
    }
    EXPECT_GT(call, 100U);
  }
}

TEST_F(FaultTest, a_power_cut_right_after_any_failed_call_loses_nothing_that_was_synced) {
  bool failed = true;
  for (std::uint64_t call = 1; failed; ++call) {
    SCOPED_TRACE(call);
    Run run;
    auto opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
    ASSERT_TRUE(opened.ok());
    run.journal = std::move(opened).value();
    run.disk.fail_calls(call, 1, Fault::io_error);
    failed = !attempt(run).ok();
    if (failed && call % 3 == 0) {
      // Half of a mend, too.
      run.disk.fail_calls(call % 7, 1, Fault::io_error);
      const auto mended = run.journal->mend();
      if (!mended.ok()) expect_named(mended.error());
    }
    run.cursor.reset();
    pieces_.clear();
    run.disk.crash(call % 2 == 0 ? FaultDisk::Crash::forget : FaultDisk::Crash::tear);
    run.journal.reset();
    opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_GE((*opened)->tail().sequence.value, run.synced);
  }
}

TEST_F(FaultTest, any_call_of_a_start_may_fail_and_the_next_start_has_everything) {
  FaultDisk good;
  Run run;
  auto opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
  ASSERT_TRUE(opened.ok());
  run.journal = std::move(opened).value();
  ASSERT_NO_FATAL_FAILURE(play(run));
  run.cursor.reset();
  run.journal.reset();
  const auto names = run.disk.list(kDirectory);
  ASSERT_TRUE(names.ok());
  bool failed = true;
  for (std::uint64_t call = 1; failed; ++call) {
    SCOPED_TRACE(call);
    FaultDisk copy;
    for (const auto& name : *names) {
      auto bytes = run.disk.contents(std::string(kDirectory) + "/" + name);
      // A torn tail, so that there is something to cut off.
      if (name == names->back()) bytes.resize(bytes.size() - 60);
      copy.put(std::string(kDirectory) + "/" + name, bytes);
    }
    copy.fail_calls(call, 1, Fault::io_error);
    auto first = LocalJournal::open(copy, {kDirectory, kSegmentBytes, 1});
    failed = !first.ok();
    if (failed) expect_named(first.error());
    if (!failed) break;
    auto second = LocalJournal::open(copy, {kDirectory, kSegmentBytes, 1});
    ASSERT_TRUE(second.ok()) << second.error().message;
    ASSERT_GE((*second)->tail().sequence.value, kSequences - 1);
  }
}

TEST_F(FaultTest, any_call_of_a_reset_may_fail_and_it_is_done_again) {
  bool failed = true;
  for (std::uint64_t call = 1; failed; ++call) {
    SCOPED_TRACE(call);
    Run run;
    auto opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
    ASSERT_TRUE(opened.ok());
    run.journal = std::move(opened).value();
    ASSERT_NO_FATAL_FAILURE(play(run));
    run.cursor.reset();
    run.disk.fail_calls(call, 2, Fault::no_space);
    failed = false;
    for (int attempts = 0; attempts < 6; ++attempts) {
      const auto mended = run.journal->mend();
      const auto done = mended.ok() ? run.journal->reset(Sequence{500}, Position{"p"}) : mended;
      if (done.ok()) break;
      failed = true;
      expect_named(done.error());
    }
    ASSERT_EQ(run.journal->tail().sequence.value, 500U);
    run.disk.crash(FaultDisk::Crash::forget);
    run.journal.reset();
    opened = LocalJournal::open(run.disk, {kDirectory, kSegmentBytes, 1});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_EQ((*opened)->tail().sequence.value, 500U);
    ASSERT_EQ((*opened)->tail().position.token, "p");
  }
}

TEST_F(FaultTest, any_call_of_a_start_may_fail_and_what_was_read_back_then_is_on_the_disk_later) {
  for (std::uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    FaultDisk machine;
    const auto open = [&] { return LocalJournal::open(machine, {kDirectory, kSegmentBytes, 1}); };
    auto before = open();
    ASSERT_TRUE(before.ok());
    for (std::uint64_t number = 1; number <= 4; ++number) ASSERT_TRUE(send(**before, number).ok());
    // It ends before it has synced, as by kill -9: what it wrote is in the system's cache.
    before->reset();
    machine.fail_call(call, Fault::io_error);
    auto after = open();
    if (after.ok()) {
      EXPECT_GT(call, 10U);
      break;
    }
    after = open();
    ASSERT_TRUE(after.ok()) << after.error().message;
    for (std::uint64_t number = 5; number <= 12; ++number) ASSERT_TRUE(send(**after, number).ok());
    ASSERT_TRUE((*after)->sync().ok());
    machine.crash(FaultDisk::Crash::forget);
    after->reset();
    auto again = open();
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ((*again)->tail().sequence.value, 12U);
    const auto windows = read_all(**again);
    ASSERT_FALSE(windows.empty());
    EXPECT_EQ(windows.back()->sequence.value, 12U);
  }
}

TEST_F(FaultTest, a_follower_goes_on_in_the_file_of_a_mended_journal) {
  open();
  ASSERT_TRUE(append(1).ok());
  auto reader = JournalReader::open(disk, kDirectory);
  auto cursor = (*reader)->read(Sequence{0});
  ASSERT_EQ(read_all(**cursor).size(), 1U);
  disk.fail_call(1, Fault::io_error);
  EXPECT_FALSE(journal->sync().ok());
  ASSERT_TRUE(journal->mend().ok());
  ASSERT_TRUE(append(2).ok());
  EXPECT_EQ(dumps(read_all(**cursor)), std::vector<std::string>(expected.begin() + 1, expected.end()));
}

TEST_F(FaultTest, while_held_cursors_see_only_what_is_synced) {
  open();
  journal->hold_until_synced(true);
  auto cursor = journal->read(Sequence{0});
  ASSERT_TRUE(append(1).ok());
  EXPECT_TRUE(read_all(**cursor).empty());
  EXPECT_EQ(journal->tail().sequence.value, 1U);
  ASSERT_TRUE(journal->sync().ok());
  EXPECT_EQ(read_all(**cursor).size(), 1U);
  ASSERT_TRUE(append(2).ok());
  EXPECT_TRUE(read_all(**cursor).empty());
  journal->hold_until_synced(false);
  EXPECT_EQ(read_all(**cursor).size(), 1U);
}

}  // namespace
}  // namespace maia::journal
