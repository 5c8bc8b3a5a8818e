// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/journal_reader.h"

#include <atomic>
#include <thread>

#include "maia/journal/journal_fixture_test.h"

namespace maia::journal {
namespace {

using namespace std::chrono_literals;

class JournalReaderTest : public JournalTest {
 protected:
  std::unique_ptr<JournalReader> reader() {
    auto opened = JournalReader::open(disk, kDirectory);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? std::move(opened).value() : nullptr;
  }
};

TEST_F(JournalReaderTest, reads_what_another_has_open_and_writes_nothing) {
  open(3000, 1);
  for (std::uint64_t i = 1; i <= 40; ++i) ASSERT_TRUE(append(i).ok());
  ASSERT_GT(segment_files().size(), 3U);
  const auto calls = disk.calls();
  const auto look = reader();
  const auto tail = look->tail();
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(tail->sequence.value, 40U);
  EXPECT_EQ(tail->position.token, "40");
  EXPECT_EQ(tail->first.value, 1U);
  for (const std::uint64_t after : {0, 1, 17, 39, 40}) {
    auto cursor = look->read(Sequence{after});
    ASSERT_TRUE(cursor.ok()) << cursor.error().message;
    const std::vector<std::string> rest(expected.begin() + static_cast<std::ptrdiff_t>(after),
                                        expected.end());
    EXPECT_EQ(dumps(read_all(**cursor)), rest) << after;
  }
  EXPECT_EQ(disk.calls(), calls);
}

TEST_F(JournalReaderTest, streamed_transactions_come_whole) {
  open(512, 1);
  ASSERT_TRUE(fragment("a", 0, 20).ok());
  ASSERT_TRUE(fragment("b", 0, 10).ok());
  ASSERT_TRUE(fragment("a", 20, 40).ok());
  ASSERT_TRUE(abort("a", 30).ok());
  auto cursor = reader()->read(Sequence{0});
  ASSERT_TRUE(cursor.ok());
  EXPECT_TRUE(read_all(**cursor).empty());
  ASSERT_TRUE(commit("b", "pos b").ok());
  ASSERT_TRUE(commit("a", "pos a").ok());
  EXPECT_EQ(dumps(read_all(**cursor)), dumps(read_all(*journal)));
}

TEST_F(JournalReaderTest, follows_an_appender_through_its_segments) {
  constexpr std::uint64_t kWindows = 300;
  open(4096, 1);
  std::atomic<std::uint64_t> seen{0};
  std::jthread follower([&, look = std::shared_ptr(reader())] {
    auto cursor = look->read(Sequence{0});
    ASSERT_TRUE(cursor.ok());
    while (seen < kWindows) {
      const auto next = (*cursor)->next(10s, {});
      ASSERT_TRUE(next.ok()) << next.error().message;
      ASSERT_TRUE(*next);
      ASSERT_EQ((**next)->end.token, std::to_string(seen + 1));
      ++seen;
    }
  });
  for (std::uint64_t i = 1; i <= kWindows; ++i) {
    ASSERT_TRUE(append(i).ok());
    if (i % 10 == 0) {
      ASSERT_TRUE(journal->sync().ok());
      ASSERT_TRUE(journal->release(Sequence{seen}).ok());
    }
  }
  follower.join();
  EXPECT_EQ(seen, kWindows);
}

TEST_F(JournalReaderTest, a_tail_that_is_being_written_is_not_there_yet_at_any_length) {
  open();
  ASSERT_TRUE(append(1).ok());
  const auto path = segment_path(kDirectory, 1);
  const auto before = disk.contents(path).size();
  ASSERT_TRUE(append(2).ok());
  const auto whole = disk.contents(path);
  for (auto size = before; size < whole.size(); ++size) {
    FaultDisk copy;
    copy.put(path, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    auto opened = JournalReader::open(copy, kDirectory);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ((*opened)->tail()->sequence.value, 1U) << size;
    auto cursor = (*opened)->read(Sequence{0});
    ASSERT_TRUE(cursor.ok());
    ASSERT_EQ(read_all(**cursor).size(), 1U) << size;
    copy.put(path, whole);
    auto again = (*opened)->read(Sequence{1});
    ASSERT_EQ(read_all(**again).size(), 1U) << size;
  }
}

TEST_F(JournalReaderTest, damage_before_a_mark_is_no_unwritten_tail) {
  open();
  ASSERT_TRUE(append(1).ok());
  const auto path = segment_path(kDirectory, 1);
  const auto at = disk.contents(path).size();
  ASSERT_TRUE(append(2).ok());
  ASSERT_TRUE(journal->sync().ok());
  auto flipped = disk.contents(path);
  flipped[at + kRecordHeaderBytes + 2] ^= 4;
  FaultDisk copy;
  copy.put(path, flipped);
  auto opened = JournalReader::open(copy, kDirectory);
  auto cursor = (*opened)->read(Sequence{1});
  ASSERT_TRUE(cursor.ok());
  const auto next = (*cursor)->next(0ms, {});
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, Error::Code::corruption);
  EXPECT_NE(next.error().message.find(fmt::format("at byte {}", at)), std::string::npos);
}

TEST_F(JournalReaderTest, what_retention_removed_is_named) {
  open(2048, 1);
  for (std::uint64_t i = 1; i <= 60; ++i) ASSERT_TRUE(append(i).ok());
  const auto look = reader();
  auto slow = look->read(Sequence{0});
  ASSERT_TRUE(slow.ok());
  ASSERT_TRUE((*slow)->next(0ms, {}).ok());
  ASSERT_TRUE(journal->release(Sequence{50}).ok());
  const auto gone = look->read(Sequence{0});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, Error::Code::lost_history);
  EXPECT_NE(gone.error().message.find(fmt::format("sequence {}", journal->tail().first.value)),
            std::string::npos);
  // It has its first segment open still, and meets the hole behind it.
  for (;;) {
    const auto next = (*slow)->next(0ms, {});
    if (next.ok()) continue;
    EXPECT_EQ(next.error().code, Error::Code::lost_history);
    break;
  }
}

TEST_F(JournalReaderTest, a_journal_that_was_begun_anew_is_named) {
  open();
  ASSERT_TRUE(append(1).ok());
  const auto look = reader();
  auto cursor = look->read(Sequence{0});
  ASSERT_EQ(read_all(**cursor).size(), 1U);
  ASSERT_TRUE(journal->reset(Sequence{500}, Position{"far"}).ok());
  const auto next = (*cursor)->next(0ms, {});
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, Error::Code::lost_history);
  EXPECT_NE(next.error().message.find("begun anew after sequence 500"), std::string::npos);
  EXPECT_EQ(look->tail()->sequence.value, 500U);
}

TEST_F(JournalReaderTest, a_directory_without_a_journal_is_named) {
  const auto opened = JournalReader::open(disk, "/nowhere");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::invalid_config);
  EXPECT_NE(opened.error().message.find("/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace maia::journal
