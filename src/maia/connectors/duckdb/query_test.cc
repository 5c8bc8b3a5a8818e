// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class QueryTest : public DestinationTest {
 protected:
  QueryTest() {
    const auto table =
        target(schema({{.name = "i", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                       {.name = "v", .type = Type::text()}}));
    prepare(table);
    Batch batch(table.schema);
    for (int i = 0; i < 100; ++i) push(batch, Op::insert, {std::to_string(i), "v" + std::to_string(i)});
    write_and_commit(table, batch);
  }
  Error refusal(const std::string& sql) {
    const auto result = destination().query(sql, {});
    EXPECT_FALSE(result.ok()) << sql;
    return result.ok() ? Error{} : result.error();
  }
};

TEST_F(QueryTest, names_types_and_values_come_back) {
  const auto result = destination().query(
      "SELECT i, v, NULL AS v, [1, 2] AS l FROM t ORDER BY i DESC LIMIT 2; -- last two", {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(result->columns, ElementsAre("i", "v", "v", "l"));
  EXPECT_THAT(result->types, ElementsAre("INTEGER", "VARCHAR", "INTEGER", "INTEGER[]"));
  EXPECT_THAT(result->rows, ElementsAre(ElementsAre("99", "v99", std::nullopt, "[1, 2]"),
                                        ElementsAre("98", "v98", std::nullopt, "[1, 2]")));
  EXPECT_FALSE(result->truncated);
}

TEST_F(QueryTest, tables_can_be_listed_and_described) {
  EXPECT_THAT(query("SHOW TABLES"), testing::Contains(ElementsAre("t")));
  EXPECT_EQ(query("DESCRIBE t").size(), 2U);
  EXPECT_EQ(query("SUMMARIZE t").size(), 2U);
  EXPECT_EQ(query("FROM t").size(), 100U);
  EXPECT_EQ(query("WITH a AS (SELECT 1) SELECT * FROM a UNION ALL SELECT 2").size(), 2U);
}

TEST_F(QueryTest, rows_are_limited_and_their_order_is_kept) {
  const auto result = destination().query("SELECT i FROM t ORDER BY i", {.rows = 3, .timeout_ms = 10'000});
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->rows, ElementsAre(ElementsAre("0"), ElementsAre("1"), ElementsAre("2")));
  EXPECT_TRUE(result->truncated);
}

TEST_F(QueryTest, a_query_that_takes_too_long_is_stopped) {
  const auto result = destination().query(
      "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE (a.range * b.range) % 7 = 3",
      {.rows = 10, .timeout_ms = 50});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Error::Code::timeout);
  EXPECT_THAT(result.error().message, HasSubstr("50 ms"));
  EXPECT_EQ(query("SELECT 1").size(), 1U);
}

TEST_F(QueryTest, whatever_is_not_one_reading_statement_is_refused) {
  const std::string file = (folder_ / "out.csv").string();
  for (const std::string& sql :
       std::initializer_list<std::string>{"",
                                          ";",
                                          "DELETE FROM t",
                                          "INSERT INTO t VALUES (1, 'x')",
                                          "UPDATE t SET v = 'x'",
                                          "DROP TABLE t",
                                          "CREATE TABLE main.x (i INTEGER)",
                                          "CREATE TEMP TABLE x (i INTEGER)",
                                          "ATTACH 'x.duckdb'",
                                          "DETACH test",
                                          "COPY t TO '" + file + "'",
                                          "EXPORT DATABASE '" + file + "'",
                                          "INSTALL httpfs",
                                          "LOAD httpfs",
                                          "SET threads = 4",
                                          "PRAGMA threads=4",
                                          "CHECKPOINT",
                                          "CALL checkpoint()",
                                          "SELECT 1; SELECT 2",
                                          "SELECT 1; DELETE FROM t",
                                          "EXPLAIN ANALYZE DELETE FROM t",
                                          "PREPARE p AS DELETE FROM t",
                                          "BEGIN",
                                          "COMMIT",
                                          "VACUUM",
                                          "ANALYZE",
                                          "SELECT * FROM checkpoint()",
                                          "SELECT * FROM FORCE_CHECKPOINT()",
                                          "SELECT * FROM enable_logging()",
                                          "SELECT * FROM query('SELECT 1')",
                                          "WITH x AS (SELECT * FROM checkpoint()) FROM x",
                                          "SELECT (SELECT count(*) FROM checkpoint())",
                                          "SELECT * FROM arrow_scan(0, 0, 0)",
                                          "SELECT * FROM json_execute_serialized_sql('{}')",
                                          "SELECT * FROM read_csv('/etc/passwd')",
                                          "SELECT * FROM '/etc/passwd'",
                                          "SELECT * FROM glob('/*')",
                                          "SELECT $1",
                                          "SELECT",
                                          "nonsense",
                                          "SELECT 1) UNION ALL (SELECT 2",
                                          "SELECT nextval('s')"}) {
    EXPECT_EQ(refusal(sql).code, Error::Code::invalid_config) << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(query("SELECT count(*) FROM t"), ElementsAre(ElementsAre("100")));
}

TEST_F(QueryTest, mistakes_are_told_in_duckdbs_words) {
  EXPECT_THAT(refusal("SELECT * FROM nowhere").message, HasSubstr("nowhere does not exist"));
  EXPECT_THAT(refusal("SELEC 1").message, HasSubstr("syntax error"));
  EXPECT_THAT(refusal("SELECT CAST('x' AS INTEGER)").message, HasSubstr("Could not convert"));
  EXPECT_THAT(refusal("DELETE FROM t").message, HasSubstr("no SELECT statement"));
}

TEST_F(QueryTest, other_threads_see_committed_rows_only_while_rows_are_written) {
  const auto table = target(schema(
      {{.name = "k", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true}}, {"s", "pairs"}));
  prepare(table);
  std::atomic<bool> stop = false;
  std::vector<std::string> odd;
  std::thread reader([&] {
    while (!stop) {
      const auto count = destination_->query("SELECT count(*) FROM pairs", {});
      if (!count.ok()) odd.push_back(count.error().message);
      if (count.ok() && (count->rows[0][0]->back() - '0') % 2 != 0) odd.push_back(*count->rows[0][0]);
    }
  });
  for (int i = 0; i < 60; i += 2) {
    Batch one(table.schema);
    Batch other(table.schema);
    push(one, Op::insert, {std::to_string(i)});
    push(other, Op::insert, {std::to_string(i + 1)});
    must(in_commit([&]() -> Status {
      auto written = write(table, one);
      return written.ok() ? write(table, other) : written;
    }));
  }
  stop = true;
  reader.join();
  EXPECT_THAT(odd, testing::IsEmpty());
}

TEST_F(QueryTest, a_destination_that_is_not_open_says_so) {
  DuckDbDestination closed(config_);
  const auto result = closed.query("SELECT 1", {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Error::Code::unavailable);
}

}  // namespace
}  // namespace maia::duckdb
