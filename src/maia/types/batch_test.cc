// SPDX-License-Identifier: Apache-2.0
#include "maia/types/batch.h"

#include <gmock/gmock.h>

namespace maia {
namespace {

SchemaRef people() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = "1";
  schema->name = {"public", "people"};
  schema->columns = {{.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                     {.name = "name", .type = Type::text()}};
  return schema;
}

void push_insert(Batch& batch, std::int32_t id, std::string_view name, std::uint64_t ordinal) {
  batch.begin_row(Op::insert, ordinal);
  batch.mutable_after(0).push_fixed(id);
  batch.mutable_after(1).push_text(name);
  batch.finish_row();
}

void push_remove(Batch& batch, std::int32_t id, std::uint64_t ordinal) {
  batch.begin_row(Op::remove, ordinal);
  batch.mutable_before(0).push_fixed(id);
  batch.finish_row();
}

TEST(BatchTest, inserts_alone_have_no_before_image) {
  Batch batch(people());
  push_insert(batch, 1, "Ada", 10);
  push_insert(batch, 2, "Grace", 11);
  EXPECT_EQ(batch.rows(), 2u);
  EXPECT_FALSE(batch.has_before());
  EXPECT_EQ(batch.after(1).text(1), "Grace");
  EXPECT_EQ(batch.ordinal(1), 11u);
}

TEST(BatchTest, the_first_before_value_makes_earlier_rows_unchanged) {
  Batch batch(people());
  push_insert(batch, 1, "Ada", 0);
  push_insert(batch, 2, "Grace", 1);
  push_remove(batch, 1, 2);
  push_insert(batch, 3, "Edsger", 3);
  ASSERT_TRUE(batch.has_before());
  EXPECT_EQ(batch.before(0).presence(0), Presence::unchanged);
  EXPECT_EQ(batch.before(0).presence(1), Presence::unchanged);
  EXPECT_EQ(batch.before(0).fixed<std::int32_t>(2), 1);
  EXPECT_EQ(batch.before(1).presence(2), Presence::unchanged);
  EXPECT_EQ(batch.before(0).presence(3), Presence::unchanged);
  EXPECT_EQ(batch.after(0).presence(2), Presence::unchanged);
  EXPECT_EQ(batch.op(2), Op::remove);
}

TEST(BatchTest, the_old_key_is_the_before_image_where_there_is_one) {
  Batch batch(people());
  push_insert(batch, 7, "Ada", 0);
  batch.begin_row(Op::update, 1);
  batch.mutable_before(0).push_fixed(std::int32_t{7});
  batch.mutable_after(0).push_fixed(std::int32_t{8});
  batch.mutable_after(1).push_unchanged();
  batch.finish_row();
  EXPECT_EQ(batch.old_key(0, 0).fixed<std::int32_t>(0), 7);
  EXPECT_EQ(batch.old_key(0, 1).fixed<std::int32_t>(1), 7);
  EXPECT_EQ(batch.after(0).fixed<std::int32_t>(1), 8);
}

TEST(BatchTest, the_last_row_can_be_taken_back_half_way) {
  Batch batch(people());
  push_insert(batch, 1, "Ada", 0);
  batch.begin_row(Op::update, 1);
  batch.mutable_before(0).push_fixed(std::int32_t{1});
  batch.mutable_after(0).push_fixed(std::int32_t{2});
  batch.drop_last_row();
  push_insert(batch, 3, "Grace", 2);
  ASSERT_EQ(batch.rows(), 2u);
  EXPECT_EQ(batch.after(0).fixed<std::int32_t>(1), 3);
  EXPECT_EQ(batch.before(0).presence(1), Presence::unchanged);
}

TEST(BatchTest, rows_are_copied_whole_from_another_batch) {
  Batch from(people());
  push_insert(from, 1, "Ada", 5);
  push_remove(from, 1, 6);
  Batch to(people());
  push_insert(to, 9, "Grace", 1);
  to.push_row(from, 1);
  to.push_row(from, 0);
  ASSERT_EQ(to.rows(), 3u);
  EXPECT_EQ(to.op(1), Op::remove);
  EXPECT_EQ(to.ordinal(1), 6u);
  EXPECT_EQ(to.before(0).fixed<std::int32_t>(1), 1);
  EXPECT_EQ(to.before(0).presence(0), Presence::unchanged);
  EXPECT_EQ(to.after(1).text(2), "Ada");
}

TEST(BatchTest, a_clone_is_equal_and_independent) {
  Batch batch(people());
  push_insert(batch, 1, "Ada", 0);
  auto copy = batch.clone();
  push_insert(copy, 2, "Grace", 1);
  copy.set_op(0, Op::read);
  EXPECT_EQ(batch.rows(), 1u);
  EXPECT_EQ(batch.op(0), Op::insert);
  EXPECT_EQ(copy.rows(), 2u);
  EXPECT_EQ(copy.after(1).text(0), "Ada");
}

TEST(BatchTest, a_cleared_batch_takes_rows_again) {
  Batch batch(people());
  push_remove(batch, 1, 0);
  batch.clear();
  EXPECT_EQ(batch.rows(), 0u);
  EXPECT_FALSE(batch.has_before());
  push_insert(batch, 2, "Grace", 0);
  EXPECT_EQ(batch.after(0).fixed<std::int32_t>(0), 2);
}

TEST(BatchTest, assembling_from_whole_columns_gives_the_same_batch) {
  Batch batch(people());
  push_insert(batch, 1, "Ada", 4);
  push_remove(batch, 1, 5);
  std::vector<ColumnVector> after{batch.after(0), batch.after(1)};
  std::vector<ColumnVector> before{batch.before(0), batch.before(1)};
  const auto copy = Batch::assemble(batch.schema(), {batch.ops().begin(), batch.ops().end()},
                                    {batch.ordinals().begin(), batch.ordinals().end()}, std::move(after),
                                    std::move(before));
  ASSERT_EQ(copy.rows(), 2u);
  EXPECT_EQ(copy.op(1), Op::remove);
  EXPECT_EQ(copy.ordinal(0), 4u);
  EXPECT_EQ(copy.before(0).fixed<std::int32_t>(1), 1);
}

}  // namespace
}  // namespace maia
