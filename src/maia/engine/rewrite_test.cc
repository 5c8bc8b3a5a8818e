// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/rewrite.h"

#include <gtest/gtest.h>

#include "maia/engine/table_route.h"

namespace maia::engine {
namespace {

SchemaRef orders() {
  TableSchema schema;
  schema.id = "1";
  schema.name = {"public", "orders"};
  Column id;
  id.name = "id";
  id.type = Type::of(TypeId::int32);
  id.in_key = true;
  id.nullable = false;
  Column note;
  note.name = "note";
  schema.columns = {id, note};
  return std::make_shared<const TableSchema>(schema);
}

/// insert (1,'a'); update 1 without note; delete 1, in two transactions.
Batch changes() {
  Batch batch(orders());
  batch.begin_row(Op::insert, 0);
  batch.mutable_after(0).push_fixed<std::int32_t>(1);
  batch.mutable_after(1).push_text("a");
  batch.finish_row();
  batch.begin_row(Op::update, 1);
  batch.mutable_after(0).push_fixed<std::int32_t>(1);
  batch.mutable_after(1).push_unchanged();
  batch.finish_row();
  batch.begin_row(Op::remove, 2);
  batch.mutable_before(0).push_fixed<std::int32_t>(1);
  batch.finish_row();
  return batch;
}

const std::vector<Transaction> kTransactions{
    {.position = {"p1"}, .id = "7", .committed_at = 100, .first_ordinal = 0},
    {.position = {"p2"}, .id = "8", .committed_at = 200, .first_ordinal = 2}};

TEST(Rewrite, append_keeps_every_change_with_its_operation_id_and_time) {
  DestinationOptions options;
  options.mode = TableTarget::Mode::append;
  const auto shape = rewritten(orders(), options);
  ASSERT_EQ(shape->columns.size(), 6u);
  EXPECT_TRUE(shape->key().empty());
  const auto out = rewrite(changes(), shape, options, kTransactions);
  ASSERT_EQ(out.rows(), 3u);
  EXPECT_EQ(out.after(2).text(0), "i");
  EXPECT_EQ(out.after(2).text(1), "u");
  EXPECT_EQ(out.after(2).text(2), "d");
  EXPECT_EQ(out.after(3).text(1), "p1/1");
  EXPECT_EQ(out.after(3).text(2), "p2/0");
  EXPECT_EQ(out.after(4).fixed<std::int64_t>(2), 200);
  EXPECT_EQ(out.after(1).presence(1), Presence::null);
  EXPECT_EQ(out.after(5).text(1), "note");
  EXPECT_EQ(out.after(5).presence(2), Presence::null);
  EXPECT_EQ(out.after(0).fixed<std::int32_t>(2), 1);
}

TEST(Rewrite, soft_deletes_mark_the_row_and_leave_its_values) {
  DestinationOptions options;
  options.deletes = Deletes::soft;
  const auto out = rewrite(changes(), rewritten(orders(), options), options, kTransactions);
  ASSERT_EQ(out.rows(), 3u);
  EXPECT_EQ(out.op(2), Op::update);
  EXPECT_EQ(out.after(0).fixed<std::int32_t>(2), 1);
  EXPECT_EQ(out.after(1).presence(2), Presence::unchanged);
  EXPECT_EQ(out.after(2).fixed<std::uint8_t>(2), 1);
  EXPECT_EQ(out.after(3).fixed<std::int64_t>(2), 200);
  EXPECT_EQ(out.after(2).fixed<std::uint8_t>(0), 0);
}

TEST(Rewrite, ignored_deletes_vanish) {
  DestinationOptions options;
  options.deletes = Deletes::ignore;
  const auto out = rewrite(changes(), rewritten(orders(), options), options, kTransactions);
  ASSERT_EQ(out.rows(), 2u);
  EXPECT_EQ(out.op(1), Op::update);
}

TEST(RouteName, the_first_rule_that_matches_renames_both_parts) {
  const std::vector<RouteRule> rules{{"public.order*", "shop.o_*"}, {"public.*", "rest.*"}};
  EXPECT_EQ(*route_name({"public", "orders"}, rules), (TableName{"shop", "o_s"}));
  EXPECT_EQ(*route_name({"public", "items"}, rules), (TableName{"rest", "items"}));
  EXPECT_EQ(*route_name({"other", "items"}, rules), (TableName{"other", "items"}));
  EXPECT_EQ(*route_name({"other", "x"}, {{"x", "y"}}), (TableName{"other", "y"}));
}

TEST(RouteName, a_rule_with_too_many_parts_is_refused) {
  const auto name = route_name({"a", "b"}, {{"a.b.c", "d.e"}});
  ASSERT_FALSE(name.ok());
  EXPECT_EQ(name.error().code, Error::Code::invalid_config);
}

TEST(TableRoute, a_key_that_deletes_do_not_carry_is_refused) {
  DestinationOptions options;
  options.key = {"note"};
  const auto route = TableRoute::bind(orders(), {}, options);
  ASSERT_FALSE(route.ok());
  EXPECT_NE(route.error().message.find("deletes carry only that"), std::string::npos);
}

TEST(TableRoute, rows_are_fitted_into_the_shape_that_the_destination_kept) {
  auto route = TableRoute::bind(orders(), {}, {}).value();
  TableSchema kept = *route.wanted();
  kept.columns.erase(kept.columns.begin() + 1);
  Column legacy;
  legacy.name = "legacy";
  kept.columns.push_back(legacy);
  route.set_target(std::make_shared<const TableSchema>(kept));
  std::vector<RowFailure> failures;
  const auto batch = changes();
  const auto routed = route.apply(batch, kTransactions, failures).value();
  ASSERT_EQ(routed.batch->columns(), 2u);
  EXPECT_EQ(routed.batch->after(0).fixed<std::int32_t>(0), 1);
  EXPECT_EQ(routed.batch->after(1).presence(0), Presence::null);
  EXPECT_EQ(routed.batch->after(1).presence(1), Presence::unchanged);
}

}  // namespace
}  // namespace maia::engine
