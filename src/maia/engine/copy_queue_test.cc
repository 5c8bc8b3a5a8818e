// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/copy_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace maia::engine {
namespace {

SchemaRef schema() {
  TableSchema schema;
  Column column;
  column.name = "v";
  schema.columns = {column};
  return std::make_shared<const TableSchema>(schema);
}

Batch rows(std::size_t bytes) {
  Batch batch(schema());
  batch.begin_row(Op::read, 0);
  batch.mutable_after(0).push_text(std::string(bytes, 'x'));
  batch.finish_row();
  return batch;
}

CopyJob job(std::uint32_t number, std::uint64_t round) {
  return CopyJob{0, Chunk{.number = number, .token = {}, .rows_estimate = 0}, round};
}

TEST(CopyQueue, a_round_is_complete_when_all_its_chunks_are) {
  CopyQueue queue(1 << 20);
  queue.add(job(0, 0));
  queue.add(job(1, 0));
  queue.add(job(2, 1));
  const auto first = queue.take();
  const auto second = queue.take();
  const auto third = queue.take();
  ASSERT_TRUE(first && second && third);
  EXPECT_FALSE(queue.take());
  // The third chunk belongs to the next round: it must not show in this one.
  ASSERT_TRUE(queue.push(*third, rows(1), {}).ok());
  queue.finish(*third);
  ASSERT_TRUE(queue.push(*first, rows(1), {}).ok());
  queue.finish(*first);
  queue.finish(*second);
  std::vector<std::uint32_t> seen;
  while (auto item = queue.next(0, {}).value()) seen.push_back(item->job.chunk.number);
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{0, 0, 1}));
  seen.clear();
  while (auto item = queue.next(1, {}).value()) seen.push_back(item->job.chunk.number);
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{2, 2}));
}

TEST(CopyQueue, rows_of_the_current_round_get_through_though_later_rows_fill_the_budget) {
  CopyQueue queue(100);
  queue.add(job(0, 0));
  queue.add(job(1, 1));
  const auto now = queue.take();
  const auto later = queue.take();
  ASSERT_TRUE(queue.push(*later, rows(1000), {}).ok());
  ASSERT_TRUE(queue.push(*now, rows(1000), {}).ok());
  queue.finish(*now);
  EXPECT_TRUE(queue.next(0, {}).value()->batch.has_value());
  EXPECT_FALSE(queue.next(0, {}).value()->batch.has_value());
  EXPECT_FALSE(queue.next(0, {}).value().has_value());
}

TEST(CopyQueue, a_reader_that_waits_for_room_returns_when_the_copy_ends) {
  CopyQueue queue(10);
  queue.add(job(0, 5));
  const auto each = queue.take();
  ASSERT_TRUE(queue.push(*each, rows(1000), {}).ok());
  Status pushed;
  std::thread reader([&] { pushed = queue.push(*each, rows(1000), {}); });
  queue.end();
  reader.join();
  ASSERT_FALSE(pushed.ok());
  EXPECT_EQ(pushed.error().code, Error::Code::cancelled);
}

TEST(CopyQueue, the_writer_gets_a_readers_error) {
  CopyQueue queue(10);
  queue.add(job(0, 0));
  queue.fail(1, Error{Error::Code::unavailable, Recovery::reconnect, "gone", ""});
  const auto item = queue.next(0, {});
  ASSERT_FALSE(item.ok());
  EXPECT_EQ(item.error().message, "gone");
}

}  // namespace
}  // namespace maia::engine
