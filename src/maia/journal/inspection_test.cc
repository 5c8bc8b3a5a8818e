// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/inspection.h"

#include "maia/journal/journal_fixture_test.h"

namespace maia::journal {
namespace {

class InspectionTest : public JournalTest {
 protected:
  /// Three segments with streamed transactions across them, all synced.
  void fill() {
    open(400, 1);
    ASSERT_TRUE(journal->start(Epoch{1}).ok());
    ASSERT_TRUE(fragment("t", 0, 40).ok());
    for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(transaction(i).ok());
    ASSERT_TRUE(abort("t", 20).ok());
    ASSERT_TRUE(commit("t", "p").ok());
    ASSERT_TRUE(transaction(5).ok());
    ASSERT_TRUE(journal->sync().ok());
    ASSERT_GE(segment_files().size(), 3U);
  }
  Status transaction(std::uint64_t number) {
    Window changes;
    changes.end = Position{std::to_string(number)};
    changes.transactions.push_back({changes.end, "t", static_cast<WallMicros>(number), 0});
    changes.items.emplace_back(inserts(0, 2));
    return appended({StreamEvent::Changes{std::move(changes)}});
  }
  std::vector<SegmentReport> reports(FaultDisk& of, Depth depth) {
    auto inspected = inspect(of, kDirectory, depth);
    EXPECT_TRUE(inspected.ok()) << inspected.error().message;
    return inspected.ok() ? *inspected : std::vector<SegmentReport>{};
  }
};

TEST_F(InspectionTest, both_depths_tell_the_same_and_their_sums_are_the_journals) {
  fill();
  const auto ends = reports(disk, Depth::ends);
  const auto bytes = reports(disk, Depth::every_byte);
  ASSERT_EQ(ends.size(), bytes.size());
  std::uint64_t transactions = 0;
  std::uint64_t size = 0;
  Sequence last;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    EXPECT_FALSE(ends[i].damage || bytes[i].damage);
    EXPECT_EQ(ends[i].span, bytes[i].span);
    EXPECT_EQ(ends[i].base, last);
    EXPECT_EQ(ends[i].last, bytes[i].last);
    EXPECT_EQ(ends[i].complete, i + 1 < ends.size());
    last = ends[i].last;
    transactions += ends[i].span.transactions;
    size += ends[i].bytes;
  }
  EXPECT_EQ(last, journal->tail().sequence);
  EXPECT_EQ(transactions, 5U);
  EXPECT_EQ(size, journal->disk_bytes());
}

TEST_F(InspectionTest, every_flipped_bit_is_found_and_named) {
  fill();
  const auto files = segment_files();
  std::uint64_t unwritten = 0;
  for (const auto& name : files) {
    const auto path = std::string(kDirectory) + "/" + name;
    const auto whole = disk.contents(path);
    for (std::size_t byte = 0; byte < whole.size(); ++byte) {
      FaultDisk copy;
      for (const auto& other : files) {
        const auto other_path = std::string(kDirectory) + "/" + other;
        copy.put(other_path, disk.contents(other_path));
      }
      auto flipped = whole;
      flipped[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
      copy.put(path, flipped);
      std::uint64_t damaged_segments = 0;
      for (const auto& report : reports(copy, Depth::every_byte)) {
        if (report.unwritten_bytes > 0) ++unwritten;
        if (!report.damage) continue;
        ++damaged_segments;
        ASSERT_EQ(report.path, path) << byte;
        ASSERT_NE(report.damage->message.find(path), std::string::npos) << report.damage->message;
        ASSERT_NE(report.damage->message.find("at byte"), std::string::npos);
      }
      if (damaged_segments == 0) {
        ASSERT_EQ(name, files.back()) << byte;
      }
    }
  }
  // Only the last mark may be unfinished: it says nothing but that what is before it is durable.
  EXPECT_EQ(unwritten, kRecordHeaderBytes + kMarkMagic.size());
}

TEST_F(InspectionTest, a_torn_tail_is_no_damage_and_a_missing_segment_is) {
  fill();
  const auto files = segment_files();
  const auto newest = std::string(kDirectory) + "/" + files.back();
  auto torn = disk.contents(newest);
  torn.resize(torn.size() - 5);
  disk.put(newest, torn);
  EXPECT_GT(reports(disk, Depth::every_byte).back().unwritten_bytes, 0U);
  EXPECT_FALSE(reports(disk, Depth::every_byte).back().damage);
  ASSERT_TRUE(disk.remove(segment_path(kDirectory, 2)).ok());
  const auto found = reports(disk, Depth::ends).at(1).damage;
  ASSERT_TRUE(found);
  EXPECT_NE(found->message.find(segment_path(kDirectory, 2)), std::string::npos);
  EXPECT_NE(found->message.find("the file is missing"), std::string::npos);
}

}  // namespace
}  // namespace maia::journal
