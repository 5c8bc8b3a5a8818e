// SPDX-License-Identifier: Apache-2.0
// Staged rows against those of a table: only what differs is written.
#include "maia/connectors/duckdb/comparer.h"

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

class ComparerTest : public DestinationTest {
 protected:
  static Column column(std::string name, Type type, bool key = false) {
    Column out;
    out.name = std::move(name);
    out.type = std::move(type);
    out.in_key = key;
    out.nullable = !key;
    return out;
  }
  static TableTarget sample(bool key) {
    return target(schema({column("id", Type::of(TypeId::int64), key), column("Na\"me", Type::text()),
                          column("x", Type::of(TypeId::float64))}));
  }
  static Batch batch(const TableTarget& target, const Rows& rows) {
    Batch batch(target.schema);
    for (const auto& row : rows) push(batch, Op::read, row);
    return batch;
  }
  void stage(const TableTarget& target, const Rows& rows) {
    must(in_commit([&] { return destination().begin_staging(target); }));
    must(in_commit([&] { return destination().stage(target, batch(target, rows)); }));
  }
  Destination::Reconciled reconcile(const TableTarget& target, const Destination::Reconciliation& how = {}) {
    Destination::Reconciled done;
    must(in_commit([&]() -> Status {
      done = MAIA_TRY(destination().reconcile(target, how));
      return {};
    }));
    return done;
  }
};

TEST_F(ComparerTest, only_what_differs_is_written) {
  const auto t = sample(true);
  prepare(t);
  write_and_commit(t, batch(t, {{"1", "a", "NaN"}, {"2", "damaged", "1"}, {"3", {}, {}}, {"9", "x", "1"}}),
                   true);
  stage(t, {{"1", "a", "NaN"}, {"2", "b", "1"}, {"3", {}, {}}, {"4", "d", "1"}});
  const auto done = reconcile(t);
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 1u);
  EXPECT_EQ(done.removed, 1u);
  const Rows expected{{"1", "a"}, {"2", "b"}, {"3", {}}, {"4", "d"}};
  EXPECT_EQ(query("SELECT id, \"Na\"\"me\" FROM s.t ORDER BY id"), expected);
}

TEST_F(ComparerTest, a_condition_on_the_key_bounds_both_sides) {
  const auto t = sample(true);
  prepare(t);
  write_and_commit(t, batch(t, {{"1", "y", "1"}, {"10", "y", "1"}, {"12", "y", "1"}, {"20", "y", "1"}}),
                   true);
  stage(t, {{"1", "a", "1"}, {"10", "b", "1"}, {"13", "c", "1"}, {"20", "d", "1"}});
  const auto done = reconcile(t, {.rows = parse_row_condition("id >= 10 and id < 20").value()});
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 1u);
  EXPECT_EQ(done.removed, 1u);
  const Rows expected{{"1", "y"}, {"10", "b"}, {"13", "c"}, {"20", "y"}};
  EXPECT_EQ(query("SELECT id, \"Na\"\"me\" FROM s.t ORDER BY id"), expected);
}

TEST_F(ComparerTest, a_hostile_literal_is_only_a_value_and_lists_are_understood) {
  const auto t = target(schema({column("k", Type::text(), true)}));
  prepare(t);
  write_and_commit(t, batch(t, {{"a'; DROP TABLE s.t; --"}, {"b"}, {"c"}}), true);
  stage(t, {});
  const auto done =
      reconcile(t, {.rows = parse_row_condition("k in ('a''; DROP TABLE s.t; --', 'c')").value()});
  EXPECT_EQ(done.removed, 2u);
  const Rows expected{{"b"}};
  EXPECT_EQ(query("SELECT k FROM s.t"), expected);
}

TEST_F(ComparerTest, rows_that_are_not_staged_can_stay) {
  const auto t = sample(true);
  prepare(t);
  write_and_commit(t, batch(t, {{"1", "a", "1"}, {"2", "b", "1"}}), true);
  stage(t, {{"1", "new", "1"}});
  const auto done = reconcile(t, {.rows = {}, .keep_surplus = true});
  EXPECT_EQ(done.updated, 1u);
  EXPECT_EQ(done.removed, 0u);
}

TEST_F(ComparerTest, without_a_key_rows_are_compared_as_often_as_they_are_there) {
  const auto t = sample(false);
  prepare(t);
  write_and_commit(
      t, batch(t, {{"1", "a", "1"}, {"1", "a", "1"}, {"1", "a", "1"}, {"2", {}, "2"}, {"3", "c", {}}}), true);
  stage(t, {{"1", "a", "1"}, {"2", {}, "2"}, {"2", {}, "2"}, {"3", "c", {}}});
  const auto done = reconcile(t);
  EXPECT_EQ(done.inserted, 1u);
  EXPECT_EQ(done.updated, 0u);
  EXPECT_EQ(done.removed, 2u);
  const Rows expected{{"1"}, {"2"}, {"2"}, {"3"}};
  EXPECT_EQ(query("SELECT id FROM s.t ORDER BY id"), expected);
}

TEST_F(ComparerTest, staging_begun_again_forgets_what_was_staged) {
  const auto t = sample(true);
  prepare(t);
  write_and_commit(t, batch(t, {{"1", "a", "1"}}), true);
  stage(t, {{"1", "a", "1"}, {"2", "wrong", "1"}});
  stage(t, {{"1", "a", "1"}});
  const auto done = reconcile(t);
  EXPECT_EQ(done.inserted + done.updated + done.removed, 0u);
}

}  // namespace
}  // namespace maia::duckdb
