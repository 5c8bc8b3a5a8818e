// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/buffers.h"

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

class BuffersTest : public DestinationTest {};

TEST_F(BuffersTest, a_file_has_half_of_its_limit_until_that_is_too_little) {
  auto& buffers = Buffers::of(config_.path);
  EXPECT_EQ(&buffers, &Buffers::of(config_.path));
  EXPECT_EQ(buffers.size(ByteSize::mib(100)), ByteSize::mib(50));
  EXPECT_EQ(buffers.size(ByteSize::mib(40)), kLeastMemory) << "never less than a load needs";
  EXPECT_EQ(buffers.size(ByteSize::mib(20)), ByteSize::mib(20)) << "nor more than there may be";
  buffers.grow();
  EXPECT_EQ(buffers.size(ByteSize::mib(100)), ByteSize::mib(100));
}

TEST_F(BuffersTest, duckdb_says_under_several_types_that_memory_is_short) {
  EXPECT_TRUE(is_out_of_memory(DUCKDB_ERROR_OUT_OF_MEMORY, nullptr));
  EXPECT_TRUE(
      is_out_of_memory(DUCKDB_ERROR_TRANSACTION, "Failed to commit: could not allocate block of size"));
  EXPECT_TRUE(is_out_of_memory(DUCKDB_ERROR_FATAL, "failed to pin block of size 256.0 KiB"));
  EXPECT_FALSE(is_out_of_memory(DUCKDB_ERROR_TRANSACTION, "Conflict on tuple deletion!"));
  EXPECT_FALSE(is_out_of_memory(DUCKDB_ERROR_TRANSACTION, nullptr));
}

TEST_F(BuffersTest, what_does_not_fit_asks_for_a_reconnect_and_fits_after_it) {
  config_.memory_limit = ByteSize::mib(160);
  const auto table =
      target(schema({{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                     {.name = "text", .type = Type::text()}}));
  prepare(table);
  Batch batch(table.schema);
  for (int i = 0; i < 2048; ++i) push(batch, Op::insert, {std::to_string(i), std::string(50'000, 'x')});

  const auto refused = in_commit([&] { return write(table, batch); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().recovery, Recovery::reconnect) << refused.error().message;

  open();
  write_and_commit(table, batch);
  EXPECT_EQ(query("SELECT count(*), sum(length(text)) FROM s.t"), (Rows{{"2048", "102400000"}}));
}

}  // namespace
}  // namespace maia::duckdb
