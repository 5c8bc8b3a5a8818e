// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/testing/duckdb_session.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/temporary_directory.h"

namespace maia::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Compare : public ::testing::Test {
 protected:
  /// A PostgreSQL with the tables that `sql` makes.
  std::unique_ptr<ComparedSystem> postgres(const std::string& sql) {
    const auto database = shared_postgres().make_database().value();
    const auto made = shared_postgres().execute(sql, database);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return compared_postgres(shared_postgres().uri(database)).value();
  }
  std::unique_ptr<ComparedSystem> duckdb(const std::string& sql) {
    const auto path = (directory_ / "copy.duckdb").string();
    {
      auto session = DuckdbSession::open(path, DuckdbSession::Access::read_write).value();
      const auto made = session.execute(sql);
      EXPECT_TRUE(made.ok()) << made.error().message;
    }
    return compared_duckdb(path).value();
  }
  TemporaryDirectory directory_ = TemporaryDirectory::make().value();
};

const CompareOptions kTable{.left = {"public", "t"}, .right = {"public", "t"}};

TEST_F(Compare, equal_rows_in_another_order_are_equal) {
  auto left = postgres("create table t (a int, b text); insert into t values (1, 'x'), (2, null), (2, null)");
  auto right =
      postgres("create table t (b text, a int); insert into t values (null, 2), ('x', 1), (null, 2)");
  const auto comparison = compare(*left, *right, kTable);
  ASSERT_TRUE(comparison.ok()) << comparison.error().message;
  EXPECT_TRUE(comparison->equal()) << comparison->report();
  EXPECT_EQ(comparison->report(), "equal: 3 rows");
}

TEST_F(Compare, differences_are_shown_row_by_row) {
  auto left =
      postgres("create table t (a int, b text); insert into t values (1, 'x'), (2, ''), (3, E'l\\n\\\\')");
  auto right = postgres("create table t (a int, b text); insert into t values (1, 'x'), (2, null), (1, 'x')");
  const auto comparison = compare(*left, *right, kTable);
  ASSERT_TRUE(comparison.ok()) << comparison.error().message;
  EXPECT_FALSE(comparison->equal());
  EXPECT_THAT(comparison->only_left, ElementsAre("2\t", "3\tl\\n\\\\"));
  EXPECT_THAT(comparison->only_right, ElementsAre("1\tx", "2\t\\N"));
  EXPECT_EQ(comparison->report(),
            "differs: 3 rows on the left, 3 on the right; 2 only left (-), 2 only right (+)\n  a b\n- 2\t\n"
            "- 3\tl\\n\\\\\n+ 1\tx\n+ 2\t\\N");
}

TEST_F(Compare, one_duplicate_less_is_a_difference) {
  auto left = postgres("create table t (a int); insert into t values (1), (1), (1)");
  auto right = postgres("create table t (a int); insert into t values (1), (1)");
  const auto comparison = compare(*left, *right, kTable);
  ASSERT_TRUE(comparison.ok());
  EXPECT_EQ(comparison->only_left_rows, 1U);
  EXPECT_EQ(comparison->only_right_rows, 0U);
}

TEST_F(Compare, missing_and_further_columns_are_named) {
  auto left = postgres("create table t (a int, b int)");
  auto right = postgres("create table t (a int, c int)");
  auto comparison = compare(*left, *right, kTable);
  ASSERT_FALSE(comparison.ok());
  EXPECT_THAT(comparison.error().message, HasSubstr("no column b on the right"));
  auto options = kTable;
  options.except = {"b"};
  comparison = compare(*left, *right, options);
  ASSERT_FALSE(comparison.ok());
  EXPECT_THAT(comparison.error().message, HasSubstr("no column c on the left"));
  options.allow_more_columns_on_right = true;
  EXPECT_TRUE(compare(*left, *right, options).value().equal());
  options.left.name = "nothing";
  EXPECT_THAT(compare(*left, *right, options).error().message, HasSubstr("no table public.nothing"));
}

constexpr const char* kTypes =
    "create table t (id int primary key, flag bool, small smallint, big bigint, f real, d double precision, "
    "n numeric(12,3), wide numeric, s text, bin bytea, day date, clock time, stamp timestamp, moment "
    "timestamptz, "
    "span interval, u uuid, j jsonb, list int[], words text[]);"
    "insert into t values (1, true, -1, 9223372036854775807, 0.1, 1e300, 12.5, 1.50, 'ä\t\"x', '\\x00ff', "
    "'2024-02-29', "
    "'23:59:59.5', '2024-01-02 03:04:05.000006', '2024-01-02 03:04:05+02', '1 year 2 months -3 days "
    "04:05:06.7', "
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"k\": [1, 2]}', '{1,null,3}', '{\"a b\",\"\\\"\"}'),"
    "(2, false, 0, -1, 'nan', '-infinity', -0.001, 'NaN', '', '', 'infinity', '00:00', '-infinity', "
    "'infinity', "
    "'-1 month 1 day -00:00:00.000001', null, 'null', '{}', null);"
    "insert into t (id) values (3);"
    "insert into t (id, flag, small, big, f, d, n, wide) values (4, true, 1, 1, 16777216, 0.1, 0, 100)";

std::string duckdb_copy(const std::string& first_moment) {
  return "create schema public; create table public.t (id int primary key, flag bool, small smallint, big "
         "bigint, f real, "
         "d double, n decimal(12,3), wide varchar, s varchar, bin blob, day date, clock time, stamp "
         "timestamp, "
         "moment timestamptz, span interval, u uuid, j json, list int[], words varchar[]);"
         "insert into public.t values (1, true, -1, 9223372036854775807, 0.1, 1e300, 12.5, '1.50', 'ä\t\"x', "
         "'\\x00\\xff', '2024-02-29', '23:59:59.5', '2024-01-02 03:04:05.000006', '" +
         first_moment +
         "', '1 year 2 months -3 days 04:05:06.7'::interval, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', "
         "'{\"k\": [1, 2]}', "
         "[1, null, 3], ['a b', '\"']),"
         "(2, false, 0, -1, 'nan', '-infinity', -0.001, 'NaN', '', '', 'infinity', '00:00', '-infinity', "
         "'infinity', "
         "'-1 month 1 day -00:00:00.000001'::interval, null, 'null', [], null);"
         "insert into public.t (id) values (3);"
         "insert into public.t (id, flag, small, big, f, d, n, wide) values (4, true, 1, 1, 16777216, 0.1, "
         "0, '100')";
}

TEST_F(Compare, values_of_every_type_are_equal_in_duckdb) {
  auto left = postgres(kTypes);
  auto right = duckdb(duckdb_copy("2024-01-02 01:04:05+00"));
  const auto comparison = compare(*left, *right, kTable);
  ASSERT_TRUE(comparison.ok()) << comparison.error().message;
  EXPECT_TRUE(comparison->equal()) << comparison->report();
  EXPECT_EQ(comparison->left.rows, 4U);
}

TEST_F(Compare, a_microsecond_of_difference_in_duckdb_is_seen) {
  auto left = postgres(kTypes);
  auto right = duckdb(duckdb_copy("2024-01-02 01:04:05.000001+00"));
  const auto comparison = compare(*left, *right, kTable);
  ASSERT_TRUE(comparison.ok()) << comparison.error().message;
  EXPECT_EQ(comparison->only_left_rows, 1U);
  EXPECT_EQ(comparison->only_right_rows, 1U);
}

}  // namespace
}  // namespace maia::testing
