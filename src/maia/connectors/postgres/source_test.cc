// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

TEST_F(SourceTest, snapshot_and_stream_together_equal_the_table) {
  sql("CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, balance numeric(12,2), at "
      "timestamptz);"
      "INSERT INTO customers SELECT i, 'name ' || i, i * 1.25, '2026-01-01'::timestamptz + i * interval '1 "
      "hour' "
      "FROM generate_series(1, 20000) i");
  open();
  begin();
  EXPECT_EQ(replica_.tables().begin()->second.rows.size(), 20000u);
  sql("INSERT INTO customers VALUES (100001, 'new', 1, NULL)");
  sql("UPDATE customers SET name = upper(name) WHERE id % 1000 = 0");
  sql("UPDATE customers SET id = id + 200000 WHERE id = 7");
  sql("DELETE FROM customers WHERE id BETWEEN 10 AND 20");
  catch_up();
  expect_equal();
  EXPECT_EQ(replica_.transactions(), 4u);
}

TEST_F(SourceTest, hostile_names_are_only_names) {
  const std::vector<std::string> hostile = {"select",
                                            "a b",
                                            "A",
                                            "a",
                                            "it's",
                                            "say \"hi\"",
                                            "semi;colon",
                                            "--",
                                            "/*",
                                            "$1",
                                            "%s",
                                            "{}",
                                            "a.b",
                                            "\\",
                                            "\\'",
                                            "*",
                                            "?",
                                            "!",
                                            "\t",
                                            "new\nline",
                                            "ünï",
                                            "名前",
                                            "'; DROP TABLE x; --",
                                            "\"\"",
                                            "ctid_",
                                            "xmin_",
                                            "oid",
                                            "user",
                                            "NULL",
                                            "true",
                                            "-1",
                                            "1",
                                            ",",
                                            "(",
                                            ")",
                                            "[0]",
                                            "::int",
                                            std::string(63, 'l'),
                                            "é" + std::string(61, 'x')};
  const auto name = [](const std::string& raw) { return sql_name(raw); };
  sql("CREATE SCHEMA " + name("we\"ird.'schema'"));
  for (const auto& each : hostile) {
    sql("CREATE TABLE " + name("we\"ird.'schema'") + "." + name(each) + " (" + name(each) +
        " int PRIMARY KEY, " + name("v" + each.substr(0, 20)) + " text); INSERT INTO " +
        name("we\"ird.'schema'") + "." + name(each) + " VALUES (1, 'x')");
  }
  auto with = config();
  with.publication = "pub 'with' \"quotes\", and commas";
  open(with);
  begin();
  ASSERT_EQ(replica_.tables().size(), hostile.size());
  for (const auto& each : hostile) {
    sql("INSERT INTO " + name("we\"ird.'schema'") + "." + name(each) + " VALUES (2, 'y'); UPDATE " +
        name("we\"ird.'schema'") + "." + name(each) + " SET " + name(each) + " = 3 WHERE " + name(each) +
        " = 1");
  }
  catch_up();
  expect_equal();
  stream_.reset();
  snapshot_.reset();
  EXPECT_EQ(must(source_->drop()).size(), 3u);
}

}  // namespace
}  // namespace maia::postgres
