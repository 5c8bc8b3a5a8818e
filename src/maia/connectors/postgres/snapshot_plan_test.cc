// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/snapshot_plan.h"

#include <gtest/gtest.h>

#include <set>

namespace maia::postgres {
namespace {

constexpr SnapshotBounds kFirst{1000, 1010};
constexpr SnapshotBounds kLater{2000, 2010};

PageRange range(const Chunk& chunk) {
  const auto range = PageRange::parse(chunk.token);
  EXPECT_TRUE(range.ok()) << chunk.token;
  return range.ok() ? *range : PageRange{};
}

TEST(SnapshotPlanTest, chunks_cover_every_page_once_and_the_last_is_open) {
  const Relfile relations[] = {{16385, 16390, 5000, 100}, {16386, 16386, 0, 0}, {16387, 16387, 2048, 7}};
  const auto plan = plan_from_start(relations, kFirst, 2048);
  ASSERT_EQ(plan.chunks.size(), 3u + 1 + 1);
  EXPECT_EQ(range(plan.chunks[0]), (PageRange{16385, 16390, 0, 2048, {}}));
  EXPECT_EQ(range(plan.chunks[1]), (PageRange{16385, 16390, 2048, 4096, {}}));
  EXPECT_EQ(range(plan.chunks[2]), (PageRange{16385, 16390, 4096, {}, {}}));
  EXPECT_EQ(range(plan.chunks[3]), (PageRange{16386, 16386, 0, {}, {}}));
  EXPECT_FALSE(plan.restarted || plan.converging);
  for (std::uint32_t i = 0; i < plan.chunks.size(); ++i) EXPECT_EQ(plan.chunks[i].number, i);
}

TEST(SnapshotPlanTest, the_rest_is_what_is_not_done_and_what_was_written_since) {
  const Relfile before[] = {{1, 10, 100, 1000}};
  const Relfile now[] = {{1, 10, 130, 1000}, {2, 20, 5, 10}};
  const auto plan = plan_from_start(before, kFirst, 25);
  const auto rest = plan_rest({plan.token, {0, 1, 3}}, true, now, kLater, 25);
  ASSERT_TRUE(rest.ok());
  EXPECT_TRUE(rest->converging);
  EXPECT_FALSE(rest->restarted);
  ASSERT_EQ(rest->chunks.size(), 4u);
  EXPECT_EQ(rest->chunks[0].number, 2u);
  EXPECT_EQ(range(rest->chunks[0]), (PageRange{1, 10, 50, 75, {}}));
  EXPECT_EQ(range(rest->chunks[1]), (PageRange{1, 10, 0, 50, 1000}));
  EXPECT_EQ(range(rest->chunks[2]), (PageRange{1, 10, 75, {}, 1000}))
      << "the open end was done, so it is caught up";
  EXPECT_EQ(range(rest->chunks[3]), (PageRange{2, 20, 0, {}, {}})) << "a partition that came since";
  std::set<std::uint32_t> numbers{0, 1, 3};
  for (const auto& chunk : rest->chunks) EXPECT_TRUE(numbers.insert(chunk.number).second);
  // Once more: what was caught up must be caught up again, from the first snapshot on.
  const auto third = plan_rest({rest->token, {0, 1, 2, 3, 4, 5}}, true, now, {3000, 3010}, 25);
  ASSERT_TRUE(third.ok());
  std::set<std::uint64_t> since;
  for (const auto& chunk : third->chunks) {
    EXPECT_GT(chunk.number, 5u);
    since.insert(range(chunk).since.value_or(0));
  }
  EXPECT_EQ(since, (std::set<std::uint64_t>{0, 1000}));
}

TEST(SnapshotPlanTest, a_copy_that_was_planned_and_not_begun_comes_whole_from_the_later_snapshot) {
  const Relfile before[] = {{1, 10, 100, 1000}};
  const Relfile now[] = {{1, 11, 130, 1000}};
  const auto plan = plan_from_start(before, kFirst, 25);
  const auto rest = plan_rest({plan.token, {}}, false, now, kLater, 25);
  ASSERT_TRUE(rest.ok());
  EXPECT_FALSE(rest->converging) << "no row is older than the snapshot";
  EXPECT_FALSE(rest->restarted) << "there is nothing to remove";
  ASSERT_EQ(rest->chunks.size(), 6u);
  EXPECT_EQ(range(rest->chunks[0]), (PageRange{1, 11, 0, 25, {}}));
  // What is read from now on is continued from here.
  const auto third = plan_rest({rest->token, {rest->chunks[0].number}}, true, now, {3000, 3010}, 25);
  ASSERT_TRUE(third.ok());
  EXPECT_TRUE(third->converging);
  EXPECT_EQ(range(third->chunks[5]), (PageRange{1, 11, 0, 25, kLater.xmin})) << "not from the first snapshot";
}

TEST(SnapshotPlanTest, what_cannot_be_continued_is_begun_again_under_new_numbers) {
  const Relfile same[] = {{1, 10, 100, 0}};
  const Relfile rewritten[] = {{1, 11, 100, 0}};
  const Relfile gone[] = {{2, 20, 100, 0}};
  const auto plan = plan_from_start(same, kFirst, 25);
  const auto again = [&](bool keyed, std::span<const Relfile> now, SnapshotBounds bounds) {
    const auto rest = plan_rest({plan.token, {0}}, keyed, now, bounds, 25);
    EXPECT_TRUE(rest.ok());
    if (rest->restarted) {
      EXPECT_EQ(rest->chunks.at(0).number, 4u);
      EXPECT_EQ(rest->chunks.size(), 4u);
    }
    return rest->restarted;
  };
  EXPECT_FALSE(again(true, same, kLater));
  EXPECT_TRUE(again(false, same, kLater));
  EXPECT_TRUE(again(true, rewritten, kLater));
  EXPECT_TRUE(again(true, gone, kLater));
  const std::uint64_t half = std::uint64_t{1} << 31;
  EXPECT_TRUE(again(true, same, {1000 + half - 10, 1000 + half})) << "numbers could not be compared any more";
  EXPECT_TRUE(again(true, same, {1, 2})) << "an older snapshot than the first";
}

TEST(SnapshotPlanTest, tokens_that_are_damaged_are_refused) {
  const Relfile relations[] = {{16385, 16390, 5000, 100}, {16386, 16386, 0, 0}};
  const auto plan = plan_from_start(relations, kFirst, 2048);
  for (std::size_t length = 0; length < plan.token.size(); ++length) {
    const auto cut = ChunkGeometry::parse(plan.token.substr(0, length));
    if (!cut.ok()) continue;
    EXPECT_EQ(plan.token.substr(0, length), cut->token());
  }
  for (const auto* token :
       {"", "2 1 1", "1 1", "1 1 1 1/1/0+0*1", "1 1 1 1/1/0+1*0", "1 1 1 1/1/1+1*1", "1 1 1 1/1/0+1*1 ",
        "1 1 4294967295 1/1/0+4294967295*4294967295", "1 1 1 1/1/0+1*1x"}) {
    EXPECT_FALSE(ChunkGeometry::parse(token).ok()) << token;
  }
  for (const auto* token : {"", "1/2/3", "1/2/-", "1/2/3-4@", "1/2/3-4x", "x", "1/2/3-99999999999"}) {
    EXPECT_FALSE(PageRange::parse(token).ok()) << token;
  }
}

}  // namespace
}  // namespace maia::postgres
