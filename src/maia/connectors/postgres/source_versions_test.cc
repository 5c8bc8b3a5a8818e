// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

/// Each major version negotiates other options of the protocol; the others run all tests with
/// MAIA_TEST_POSTGRES.
class SourceVersionsTest : public SourceTest, public ::testing::WithParamInterface<int> {
 protected:
  int version() const override { return GetParam(); }
};

TEST_P(SourceVersionsTest, snapshot_stream_and_schema_changes_are_exact) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text, n numeric(10,2)); CREATE TYPE mood AS ENUM ('sad', "
      "'glad');"
      "CREATE TABLE kinds (id int PRIMARY KEY, at timestamptz, m mood, j jsonb, u uuid, b bytea, r "
      "int4range);"
      "INSERT INTO t SELECT i, repeat('p', 200), i FROM generate_series(1, 5000) i;"
      "INSERT INTO kinds VALUES (1, 'infinity', 'glad', '{\"a\": [1, null]}', gen_random_uuid(), '\\x00ff', "
      "'[1,5)')");
  open();
  begin();
  sql("BEGIN; INSERT INTO t SELECT i, repeat('a', 300), NULL FROM generate_series(10001, 19000) i; SAVEPOINT "
      "s;"
      "DELETE FROM t; ROLLBACK TO s; UPDATE t SET n = n + 1 WHERE id < 1000; COMMIT");
  sql("INSERT INTO kinds VALUES (2, '0044-03-15 12:00:00+00 BC', 'sad', 'null', NULL, '', 'empty')");
  sql("ALTER TABLE kinds ADD COLUMN x text DEFAULT 'dd'; ALTER TABLE kinds RENAME m TO feeling;"
      "INSERT INTO kinds (id, feeling) VALUES (3, 'glad')");
  sql("TRUNCATE t; INSERT INTO t VALUES (1, 'after', 1)");
  catch_up();
  EXPECT_GT(replica_.fragments(), 0u);
  expect_equal();
  const auto durable = replica_.position();
  stream_.reset();
  sql("UPDATE t SET pad = 'again'");
  must(source_->prepare(durable));
  follow(durable);
  catch_up();
  expect_equal();
}

TEST_P(SourceVersionsTest, what_is_made_fits_the_version) {
  sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t "
      "VALUES (1)");
  open();
  begin();
  sql("INSERT INTO t VALUES (2)");
  catch_up();
  expect_equal();
  // Only 18 sends what it computes; before, the column is left to who computes it.
  EXPECT_EQ(replica_.tables().begin()->second.schema->columns.size(), GetParam() >= 18 ? 2u : 1u);
  if (GetParam() >= 17) {
    EXPECT_EQ(value("SELECT failover FROM pg_replication_slots WHERE database = current_database()"), "t");
  }
}

INSTANTIATE_TEST_SUITE_P(postgres, SourceVersionsTest, ::testing::Values(15, 16, 17, 18),
                         [](const auto& each) { return "v" + std::to_string(each.param); });

}  // namespace
}  // namespace maia::postgres
