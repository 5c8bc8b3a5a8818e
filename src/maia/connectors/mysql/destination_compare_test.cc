// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/destination_fixture.h"

namespace maia::mysql {
namespace {

using ::testing::ElementsAre;

class MysqlCompare : public MysqlDestinationTest {
 protected:
  TestTable table{{"", "t"},
                  {column_of("id", Type::of(TypeId::int64)), column_of("word", Type::text()),
                   column_of("n", Type::of(TypeId::int32))},
                  {0}};

  void SetUp() override {
    MysqlDestinationTest::SetUp();
    prepare(table);
    execute("insert into t values (1, 'a', 1), (2, 'b', null), (9223372036854775806, 'c', 3), (4, 'd', 4)");
  }
  Destination::Reconciled reconcile(const TestTable& rows, const Destination::Reconciliation& how = {}) {
    EXPECT_OK(destination->begin());
    EXPECT_OK(destination->begin_staging(rows.target));
    EXPECT_OK(destination->stage(rows.target, *rows.batch));
    const auto done = destination->reconcile(rows.target, how);
    EXPECT_TRUE(done.ok()) << done.error().message;
    EXPECT_OK(commit());
    return done.ok() ? *done : Destination::Reconciled{};
  }
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlCompare, both_products(), product_name);

TEST_P(MysqlCompare, what_differs_is_written_and_equal_rows_are_not_touched) {
  table.change(Op::read, {"1", "a", "1"}, {});
  table.change(Op::read, {"2", "B", "2"}, {});
  table.change(Op::read, {"5", "e", std::nullopt}, {});
  const auto done = reconcile(table);
  EXPECT_EQ(done.inserted, 1U);
  EXPECT_EQ(done.updated, 1U);
  EXPECT_EQ(done.removed, 2U);
  EXPECT_THAT(rows("select * from t order by id"), ElementsAre("1|a|1", "2|B|2", "5|e|~"));
}

TEST_P(MysqlCompare, a_condition_on_the_key_bounds_both_sides_to_the_last_digit) {
  table.change(Op::read, {"1", "changed", "1"}, {});
  table.change(Op::read, {"9223372036854775807", "new", "1"}, {});
  const auto done = reconcile(
      table,
      {.rows = {
           {{.column = "id", .how = RowCondition::Compare::at_least, .literals = {"9223372036854775807"}}}}});
  EXPECT_EQ(done.inserted, 1U);
  EXPECT_EQ(done.updated + done.removed, 0U);
  EXPECT_THAT(rows("select * from t order by id"),
              ElementsAre("1|a|1", "2|b|~", "4|d|4", "9223372036854775806|c|3", "9223372036854775807|new|1"));
}

TEST_P(MysqlCompare, a_hostile_literal_is_only_a_value) {
  EXPECT_OK(destination->begin());
  EXPECT_OK(destination->begin_staging(table.target));
  const auto refused = destination->reconcile(
      table.target,
      {.rows = {{{.column = "id", .how = RowCondition::Compare::equal, .literals = {"1) or (1 = 1"}}}}});
  EXPECT_FALSE(refused.ok());
  destination->rollback();
  EXPECT_THAT(rows("select count(*) from t"), ElementsAre("4"));
}

TEST_P(MysqlCompare, unique_values_change_places) {
  execute("alter table t add unique (n)");
  table.change(Op::read, {"1", "a", "4"}, {});
  table.change(Op::read, {"4", "d", "1"}, {});
  const auto done = reconcile(table);
  EXPECT_EQ(done.updated, 2U);
  EXPECT_EQ(done.inserted, 0U);
  EXPECT_THAT(rows("select * from t order by id"), ElementsAre("1|a|4", "4|d|1"));
}

TEST_P(MysqlCompare, rows_that_are_not_staged_can_stay_and_staging_begun_again_forgets) {
  EXPECT_OK(destination->begin_staging(table.target));
  table.change(Op::read, {"77", "forgotten", "1"}, {});
  EXPECT_OK(destination->stage(table.target, *table.batch));
  table.restart();
  table.change(Op::read, {"1", "changed", "1"}, {});
  const auto done = reconcile(table, {.rows = {}, .keep_surplus = true});
  EXPECT_EQ(done.removed + done.inserted, 0U);
  EXPECT_EQ(done.updated, 1U);
  EXPECT_THAT(rows("select count(*) from t"), ElementsAre("4"));
}

TEST_P(MysqlCompare, without_a_key_the_rows_become_those_that_are_staged) {
  TestTable log({"", "log"}, {column_of("a", Type::text())}, {});
  prepare(log);
  execute("insert into log values ('x'), ('x'), ('y')");
  log.change(Op::read, {"x"}, {});
  log.change(Op::read, {"X"}, {});
  reconcile(log);
  EXPECT_THAT(rows("select a from log order by a"), ElementsAre("X", "x"));
}

}  // namespace
}  // namespace maia::mysql
