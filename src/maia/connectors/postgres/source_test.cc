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

}  // namespace
}  // namespace maia::postgres
