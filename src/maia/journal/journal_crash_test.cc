// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/journal_fixture_test.h"

namespace maia::journal {
namespace {

using CrashTest = JournalTest;

/// Appends windows until `calls` changing calls were made, with a sync after each third; tells what was
/// durable.
struct Workload {
  std::uint64_t synced = 0;
  std::uint64_t appended = 0;
};

TEST_F(CrashTest, after_a_power_cut_the_tail_is_between_last_synced_and_last_appended) {
  for (const auto how : {FaultDisk::Crash::forget, FaultDisk::Crash::tear, FaultDisk::Crash::keep}) {
    for (std::uint64_t steps = 1; steps <= 60; ++steps) {
      for (std::uint64_t seed = 1; seed <= (how == FaultDisk::Crash::tear ? 12U : 1U); ++seed) {
        FaultDisk torn_disk(seed * 1000 + steps);
        auto opened = LocalJournal::open(torn_disk, {kDirectory, 3000, 1});
        ASSERT_TRUE(opened.ok());
        std::uint64_t synced = 0;
        std::vector<std::string> texts;
        for (std::uint64_t i = 1; i <= steps; ++i) {
          auto made = window(i);
          texts.push_back(dump(with_sequence(made, i)));
          ASSERT_TRUE((*opened)->append({StreamEvent::Changes{std::move(made)}}).ok());
          if (i % 7 == 0) {
            ASSERT_TRUE((*opened)->sync().ok());
            synced = i;
          }
        }
        torn_disk.crash(how);
        opened.value().reset();
        auto again = LocalJournal::open(torn_disk, {kDirectory, 3000, 1});
        ASSERT_TRUE(again.ok()) << again.error().message << " steps " << steps << " seed " << seed;
        const auto tail = (*again)->tail().sequence.value;
        ASSERT_GE(tail, synced) << steps;
        ASSERT_LE(tail, steps) << steps;
        if (how == FaultDisk::Crash::keep) {
          ASSERT_EQ(tail, steps);
        }
        texts.resize(tail);
        ASSERT_EQ(dumps(read_all(**again)), texts);
        // It goes on: what is appended now is found again.
        ASSERT_TRUE((*again)->append({StreamEvent::Changes{window(99)}}).ok());
        again.value().reset();
        again = LocalJournal::open(torn_disk, {kDirectory, 3000, 1});
        ASSERT_TRUE(again.ok());
        ASSERT_EQ((*again)->tail().sequence.value, tail + 1);
      }
    }
  }
}

TEST_F(CrashTest, a_power_cut_in_any_call_of_release_and_reset_leaves_a_whole_journal) {
  for (std::uint64_t call = 1; call <= 24; ++call) {
    for (const auto how : {FaultDisk::Crash::forget, FaultDisk::Crash::tear}) {
      FaultDisk torn_disk(call);
      auto opened = LocalJournal::open(torn_disk, {kDirectory, 2000, 1});
      ASSERT_TRUE(opened.ok());
      for (std::uint64_t i = 1; i <= 30; ++i) {
        ASSERT_TRUE((*opened)->append({StreamEvent::Changes{window(i)}}).ok());
      }
      ASSERT_TRUE((*opened)->sync().ok());
      torn_disk.fail_call(call, FaultDisk::Fault::io_error);
      const bool released = (*opened)->release(Sequence{10}).ok();
      const bool was_reset = released && (*opened)->reset(Sequence{500}, Position{"p"}).ok();
      torn_disk.crash(how);
      opened.value().reset();
      auto again = LocalJournal::open(torn_disk, {kDirectory, 2000, 1});
      ASSERT_TRUE(again.ok()) << again.error().message << " call " << call;
      const auto tail = (*again)->tail();
      if (was_reset) {
        EXPECT_EQ(tail.sequence.value, 500U);
      }
      if (tail.sequence.value != 500) {
        EXPECT_EQ(tail.sequence.value, 30U) << call;
        EXPECT_EQ(read_all(**again, 10).size(), 20U);
      }
    }
  }
}

TEST_F(CrashTest, a_full_or_broken_disk_at_any_call_is_a_named_error_and_loses_nothing_synced) {
  for (const auto fault : {FaultDisk::Fault::no_space, FaultDisk::Fault::io_error}) {
    bool failed_once = true;
    for (std::uint64_t call = 1; failed_once; ++call) {
      FaultDisk bad_disk(call);
      bad_disk.fail_call(call, fault);
      failed_once = false;
      std::uint64_t synced = 0;
      std::uint64_t appended = 0;
      auto opened = LocalJournal::open(bad_disk, {kDirectory, 1500, 1});
      const auto check = [&](const Error& error) {
        failed_once = true;
        EXPECT_EQ(error.code, Error::Code::storage);
        const auto* name = fault == FaultDisk::Fault::no_space ? "ENOSPC" : "EIO";
        EXPECT_NE(error.message.find(name), std::string::npos) << error.message;
        EXPECT_NE(error.message.find(kDirectory), std::string::npos) << error.message;
        EXPECT_FALSE(error.hint.empty());
      };
      if (!opened.ok()) check(opened.error());
      for (std::uint64_t i = 1; opened.ok() && i <= 20; ++i) {
        const auto result = (*opened)->append({StreamEvent::Changes{window(i)}});
        const auto sync = (*opened)->sync();
        if (!result.ok()) check(result.error());
        if (!sync.ok()) check(sync.error());
        if (!result.ok()) {
          // The journal is in doubt from here on, and says so each time.
          EXPECT_FALSE(sync.ok());
        }
        if (sync.ok()) synced = i;
        if (result.ok()) appended = i;
        if (!result.ok() || !sync.ok()) break;
      }
      if (opened.ok()) opened.value().reset();
      bad_disk.crash(call % 2 == 0 ? FaultDisk::Crash::forget : FaultDisk::Crash::tear);
      auto again = LocalJournal::open(bad_disk, {kDirectory, 1500, 1});
      ASSERT_TRUE(again.ok()) << again.error().message << " call " << call;
      EXPECT_GE((*again)->tail().sequence.value, synced);
      // The window whose append failed may have reached the disk whole.
      EXPECT_LE((*again)->tail().sequence.value, appended + 1);
      EXPECT_EQ(read_all(**again).size(), (*again)->tail().sequence.value);
    }
  }
}

TEST_F(CrashTest, a_torn_tail_is_reported) {
  open();
  ASSERT_TRUE(append(1).ok());
  ASSERT_TRUE(journal->sync().ok());
  const auto path = segment_path(kDirectory, 1);
  const auto whole = disk.contents(path);
  ASSERT_TRUE(append(2).ok());
  auto torn = disk.contents(path);
  torn.resize(torn.size() - 3);
  journal.reset();
  disk.put(path, torn);
  open();
  ASSERT_TRUE(journal->torn_tail());
  EXPECT_EQ(journal->torn_tail()->file, path);
  EXPECT_GE(journal->torn_tail()->offset, whole.size());
  EXPECT_EQ(journal->torn_tail()->offset + journal->torn_tail()->bytes, torn.size());
  EXPECT_EQ(journal->tail().sequence.value, 1U);
  open();
  EXPECT_FALSE(journal->torn_tail());
}

TEST_F(CrashTest, a_flipped_bit_anywhere_is_reported_or_harmless) {
  open(600, 1);
  ASSERT_TRUE(journal->start(Epoch{1}).ok());
  ASSERT_TRUE(fragment("t", 0, 4).ok());
  ASSERT_TRUE(append(1, 2).ok());
  ASSERT_TRUE(append(2, 2).ok());
  ASSERT_TRUE(abort("t", 2).ok());
  ASSERT_TRUE(commit("t", "p").ok());
  ASSERT_TRUE(append(4, 2).ok());
  ASSERT_TRUE(journal->sync().ok());
  const auto files = segment_files();
  ASSERT_GE(files.size(), 2U);
  const auto before = dumps(read_all(*journal));
  journal.reset();
  std::uint64_t refused = 0;
  std::uint64_t harmless = 0;
  for (const auto& name : files) {
    const auto path = std::string(kDirectory) + "/" + name;
    const auto whole = disk.contents(path);
    for (std::size_t byte = 0; byte < whole.size(); ++byte) {
      auto flipped = whole;
      flipped[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
      // A copy, because a start writes.
      FaultDisk copy;
      for (const auto& other : files) {
        const auto other_path = std::string(kDirectory) + "/" + other;
        copy.put(other_path, disk.contents(other_path));
      }
      copy.put(path, flipped);
      auto opened = LocalJournal::open(copy, {kDirectory, 600, 1});
      if (!opened.ok()) {
        ASSERT_EQ(opened.error().code, Error::Code::corruption) << path << " " << byte;
        ASSERT_NE(opened.error().message.find(path), std::string::npos) << opened.error().message;
        ++refused;
        continue;
      }
      auto cursor = (*opened)->read(Sequence{0});
      ASSERT_TRUE(cursor.ok()) << path << " " << byte;
      std::vector<std::string> seen;
      std::optional<Error> error;
      for (;;) {
        auto next = (*cursor)->next(std::chrono::milliseconds(0), {});
        if (!next.ok()) error = next.error();
        if (!next.ok() || !*next) break;
        seen.push_back(dump(***next));
      }
      if (error) {
        ASSERT_EQ(error->code, Error::Code::corruption);
        ASSERT_NE(error->message.find(path), std::string::npos);
        ASSERT_NE(error->message.find("at byte"), std::string::npos);
        ++refused;
      } else {
        ASSERT_EQ(seen, before) << path << " " << byte;
        ++harmless;
      }
    }
  }
  // Harmless is only the last mark, which says nothing but that what is before it is durable.
  EXPECT_EQ(harmless, kRecordHeaderBytes + kMarkMagic.size());
  EXPECT_GT(refused, 1000U);
}

TEST_F(CrashTest, every_truncation_of_a_complete_segment_is_refused) {
  open(1000, 1);
  for (std::uint64_t i = 1; i <= 6; ++i) ASSERT_TRUE(append(i, 2).ok());
  journal.reset();
  const auto path = segment_path(kDirectory, 1);
  const auto whole = disk.contents(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    disk.put(path, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const auto opened = LocalJournal::open(disk, {kDirectory, 1000, 1});
    ASSERT_FALSE(opened.ok()) << size;
    ASSERT_EQ(opened.error().code, Error::Code::corruption);
  }
}

TEST_F(CrashTest, a_missing_segment_is_named) {
  open(600);
  for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(append(i).ok());
  ASSERT_GE(segment_files().size(), 4U);
  journal.reset();
  ASSERT_TRUE(disk.remove(segment_path(kDirectory, 2)).ok());
  const auto opened = LocalJournal::open(disk, {kDirectory, 600});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::corruption);
  EXPECT_NE(opened.error().message.find(segment_path(kDirectory, 2)), std::string::npos);
}

}  // namespace
}  // namespace maia::journal
