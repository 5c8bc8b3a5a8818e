// SPDX-License-Identifier: Apache-2.0
// Staged rows against those of a table: only what differs is written.
#include <gmock/gmock.h>

#include "maia/connectors/postgres/destination_fixture.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;

class DestinationCompareTest : public DestinationTest {
 protected:
  static TestTable sample(std::vector<std::size_t> key = {0}) {
    return TestTable({"public", "t"},
                     {column_of("id", Type::of(TypeId::int64)), column_of("Name", Type::text()),
                      column_of("doc", Type::text("json"))},
                     std::move(key));
  }
  void begin() { ASSERT_TRUE(destination->begin().ok()); }
  void commit() {
    const auto done = destination->commit(next_checkpoint());
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void load(TestTable& table, const std::vector<Texts>& all) {
    begin();
    ASSERT_TRUE(destination->prepare(table.target).ok());
    table.restart();
    for (const auto& row : all) table.insert(row);
    const auto delivery = table.delivery({.fresh = true});
    ASSERT_TRUE(destination->write({&delivery, 1}).ok());
    commit();
  }
  /// Staged in one transaction, as the engine does it.
  void stage(TestTable& table, const std::vector<Texts>& all) {
    begin();
    const auto begun = destination->begin_staging(table.target);
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    for (const auto& row : all) {
      table.restart();
      table.insert(row);
      const auto staged = destination->stage(table.target, *table.batch);
      ASSERT_TRUE(staged.ok()) << staged.error().message;
    }
    commit();
  }
  Destination::Reconciled reconcile(TestTable& table, const Destination::Reconciliation& how = {}) {
    EXPECT_TRUE(destination->begin().ok());
    const auto done = destination->reconcile(table.target, how);
    EXPECT_TRUE(done.ok()) << done.error().message;
    commit();
    return done.ok() ? *done : Destination::Reconciled{};
  }
};

TEST_F(DestinationCompareTest, what_differs_is_written_and_equal_rows_are_not_touched) {
  auto table = sample();
  load(table, {{"1", "a", "{\"x\": 1}"}, {"2", "b", "{}"}, {"3", std::nullopt, "[]"}, {"4", "d", "4"}});
  const auto before = rows("select id, xmin, ctid from t where id in (1, 3) order by id");
  execute(
      "update t set \"Name\" = 'damaged' where id = 2; delete from t where id = 4; insert into t values (9, "
      "'x', '9')");
  stage(table, {{"1", "a", "{\"x\": 1}"}, {"2", "b", "{}"}, {"3", std::nullopt, "[]"}, {"4", "d", "4"}});
  const auto done = reconcile(table);
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 1u);
  EXPECT_EQ(done.removed, 1u);
  EXPECT_THAT(rows("select * from t order by id"),
              ElementsAre("1|a|{\"x\": 1}", "2|b|{}", "3|~|[]", "4|d|4"));
  EXPECT_EQ(rows("select id, xmin, ctid from t where id in (1, 3) order by id"), before);
}

TEST_F(DestinationCompareTest, a_condition_on_the_key_bounds_both_sides) {
  auto table = sample();
  load(table, {{"1", "a", "1"}, {"10", "b", "1"}, {"11", "c", "1"}, {"20", "d", "1"}});
  execute("update t set \"Name\" = 'damaged'; insert into t values (12, 'x', '1'), (30, 'x', '1')");
  stage(table, {{"1", "a", "1"}, {"10", "b", "1"}, {"11", "c", "1"}, {"13", "e", "1"}, {"20", "d", "1"}});
  const auto done = reconcile(table, {.rows = parse_row_condition("id >= 10 and id < 20").value()});
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 2u);
  EXPECT_EQ(done.removed, 1u);
  EXPECT_THAT(rows("select id, \"Name\" from t order by id"),
              ElementsAre("1|damaged", "10|b", "11|c", "13|e", "20|damaged", "30|x"));
}

TEST_F(DestinationCompareTest, a_hostile_literal_is_only_a_value) {
  TestTable table({"public", "t"}, {column_of("we\"ird", Type::text())}, {0});
  load(table, {{"a'; drop table t; --"}, {"b"}});
  stage(table, {});
  const auto done = reconcile(
      table, {.rows = parse_row_condition("\"we\"\"ird\" in ('a''; drop table t; --', 'c\\')").value()});
  EXPECT_EQ(done.removed, 1u);
  EXPECT_THAT(rows("select * from t"), ElementsAre("b"));
}

TEST_F(DestinationCompareTest, rows_that_are_not_staged_can_stay) {
  auto table = sample();
  load(table, {{"1", "a", "1"}, {"2", "b", "1"}});
  stage(table, {{"1", "new", "1"}});
  const auto done = reconcile(table, {.rows = {}, .keep_surplus = true});
  EXPECT_EQ(done.removed, 0u);
  EXPECT_EQ(done.updated, 1u);
  EXPECT_THAT(rows("select id, \"Name\" from t order by id"), ElementsAre("1|new", "2|b"));
}

TEST_F(DestinationCompareTest, without_a_key_rows_are_compared_as_often_as_they_are_there) {
  auto table = sample({});
  load(table,
       {{"1", "a", "1"}, {"1", "a", "1"}, {"1", "a", "1"}, {"2", std::nullopt, "[1]"}, {"3", "c", "1"}});
  stage(table, {{"1", "a", "1"}, {"2", std::nullopt, "[1]"}, {"2", std::nullopt, "[1]"}, {"3", "c", "1"}});
  const auto before = rows("select xmin, ctid from t where id = 3");
  const auto done = reconcile(table);
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 0u);
  EXPECT_EQ(done.removed, 2u);
  EXPECT_THAT(rows("select id from t order by id"), ElementsAre("1", "2", "2", "3"));
  EXPECT_EQ(rows("select xmin, ctid from t where id = 3"), before);
}

TEST_F(DestinationCompareTest, staging_begun_again_forgets_what_was_staged) {
  auto table = sample();
  load(table, {{"1", "a", "1"}});
  stage(table, {{"1", "a", "1"}, {"2", "wrong", "1"}});
  stage(table, {{"1", "a", "1"}});
  const auto done = reconcile(table);
  EXPECT_EQ(done.inserted + done.updated + done.removed, 0u);
}

}  // namespace
}  // namespace maia::postgres
