// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/change_walk.h"

#include <gtest/gtest.h>

namespace maia::codec {
namespace {

SchemaRef table(const std::string& name) {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", name};
  schema->columns.push_back({.name = "id", .type = Type::of(TypeId::int64), .in_key = true, .id = {}});
  return schema;
}

Batch rows(const SchemaRef& schema, const std::vector<std::uint64_t>& ordinals) {
  Batch batch(schema);
  for (const auto ordinal : ordinals) {
    batch.begin_row(Op::insert, ordinal);
    batch.mutable_after(0).push_fixed(static_cast<std::int64_t>(ordinal));
    batch.finish_row();
  }
  return batch;
}

TEST(ChangeWalk, goes_through_tables_and_barriers_in_the_order_of_their_making) {
  const auto a = table("a");
  const auto b = table("b");
  Window window;
  window.items.emplace_back(rows(a, {0, 3, 4}));
  window.items.emplace_back(rows(b, {1, 5}));
  window.items.emplace_back(Truncate{{a}, false, false, 2});
  std::vector<std::pair<std::size_t, std::size_t>> seen;
  for (const auto& place : changes_in_order(window)) seen.emplace_back(place.item, place.row);
  const std::vector<std::pair<std::size_t, std::size_t>> expected{{0, 0}, {1, 0}, {2, 0},
                                                                  {0, 1}, {0, 2}, {1, 1}};
  EXPECT_EQ(seen, expected);
}

TEST(ChangeWalk, an_ordinal_belongs_to_the_transaction_that_begins_at_it_or_before) {
  const std::vector<Transaction> transactions{{Position{"1"}, "first", 0, 0},
                                              {Position{"2"}, "second", 0, 3}};
  EXPECT_EQ(transaction_at(transactions, 0).id, "first");
  EXPECT_EQ(transaction_at(transactions, 2).id, "first");
  EXPECT_EQ(transaction_at(transactions, 3).id, "second");
  EXPECT_EQ(transaction_at(transactions, 9).id, "second");
  EXPECT_EQ(transaction_at({}, 9).id, "");
}

}  // namespace
}  // namespace maia::codec
