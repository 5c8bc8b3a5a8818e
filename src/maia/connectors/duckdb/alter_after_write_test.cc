// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

Column column(std::string name, Type type, bool key = false) {
  Column column;
  column.name = std::move(name);
  column.type = std::move(type);
  column.in_key = key;
  column.nullable = !key;
  return column;
}

ColumnChange change(ColumnChange::Kind kind, std::string name, std::optional<std::string> existing = {}) {
  return {.kind = kind, .column = std::move(name), .old_name = {}, .existing_rows = std::move(existing)};
}

TEST_F(DestinationTest, a_table_may_be_changed_altered_and_changed_again_in_one_transaction) {
  const auto first = target(schema({column("id", Type::of(TypeId::int32), true), column("v", Type::text())}));
  const auto second = target(schema({column("id", Type::of(TypeId::int32), true), column("v", Type::text()),
                                     column("c", Type::of(TypeId::int32))}));
  const auto third =
      target(schema({column("id", Type::of(TypeId::int32), true), column("c", Type::of(TypeId::int64))}));
  const auto work = [&]() -> Status {
    MAIA_TRY(destination().prepare(first));
    Batch rows(first.schema);
    for (int i = 0; i < 10; ++i) push(rows, Op::insert, {std::to_string(i), "a"});
    return write(first, rows);
  };
  ASSERT_TRUE(in_commit(work).ok());
  const auto change_alter_change = [&]() -> Status {
    Batch before(first.schema);
    push(before, Op::update, {"1", "changed"});
    push(before, Op::remove, {kUnchanged, kUnchanged}, {"2", kUnchanged});
    MAIA_TRY(write(first, before));
    MAIA_TRY(destination().alter(first, second,
                                 {.before = first.schema,
                                  .after = second.schema,
                                  .columns = {change(ColumnChange::Kind::add, "c", "7")}}));
    Batch between(second.schema);
    push(between, Op::update, {"3", "x", "8"});
    push(between, Op::insert, {"100", "y", "9"});
    MAIA_TRY(write(second, between));
    MAIA_TRY(destination().alter(
        second, third,
        {.before = second.schema,
         .after = third.schema,
         .columns = {change(ColumnChange::Kind::drop, "v"), change(ColumnChange::Kind::retype, "c")}}));
    Batch after(third.schema);
    push(after, Op::remove, {kUnchanged, kUnchanged}, {"4", kUnchanged});
    return write(third, after);
  };
  const auto done = in_commit(change_alter_change);
  ASSERT_TRUE(done.ok()) << done.error().message;
  open();
  const auto result = destination().query("select count(*), sum(c), min(c), max(c) from s.t", {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  // Ten rows, less two removed, one more inserted; seven of them hold the default.
  EXPECT_EQ(*result->rows[0][0], "9");
  EXPECT_EQ(*result->rows[0][1], std::to_string(7 * 7 + 8 + 9));
  EXPECT_EQ(*result->rows[0][3], "9");
}

}  // namespace
}  // namespace maia::duckdb
