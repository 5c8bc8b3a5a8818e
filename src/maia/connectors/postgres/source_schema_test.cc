// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

using Kind = ColumnChange::Kind;

class SourceSchemaTest : public SourceTest {
 protected:
  void start(const std::string& setup) {
    sql(setup);
    open();
    begin();
  }
  /// The kinds of all column changes so far, in order, with the column.
  std::vector<std::pair<Kind, std::string>> steps() {
    std::vector<std::pair<Kind, std::string>> all;
    for (const auto& change : replica_.schema_changes()) {
      for (const auto& step : change.columns) all.emplace_back(step.kind, step.column);
    }
    return all;
  }
  using Steps = std::vector<std::pair<Kind, std::string>>;
};

constexpr const char* kTable =
    "CREATE TABLE t (id int PRIMARY KEY, a text, b int, c numeric(10,2) NOT NULL DEFAULT 0);"
    "INSERT INTO t SELECT i, 'a' || i, i, i FROM generate_series(1, 50) i";

TEST_F(SourceSchemaTest, added_columns_give_existing_rows_the_default_of_that_time) {
  start(kTable);
  sql("ALTER TABLE t ADD COLUMN plain text");
  sql("ALTER TABLE t ADD COLUMN state text NOT NULL DEFAULT 'it''s \"new\", {or} not'");
  sql("ALTER TABLE t ADD COLUMN list int[] DEFAULT '{1,NULL,3}'");
  sql("ALTER TABLE t ADD COLUMN at timestamptz DEFAULT now()");
  sql("ALTER TABLE t ADD COLUMN later int");
  sql("ALTER TABLE t ALTER COLUMN later SET DEFAULT 7, ALTER COLUMN state SET DEFAULT 'other'");
  sql("INSERT INTO t (id) VALUES (100)");
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::add, "plain"},
                            {Kind::add, "state"},
                            {Kind::add, "list"},
                            {Kind::add, "at"},
                            {Kind::add, "later"}}));
}

TEST_F(SourceSchemaTest, a_rewritten_table_still_tells_a_constant_default) {
  start(kTable);
  sql("ALTER TABLE t ADD COLUMN state text NOT NULL DEFAULT 'new'");
  sql("VACUUM FULL t");
  sql("INSERT INTO t (id) VALUES (100)");
  catch_up();
  expect_equal();
}

TEST_F(SourceSchemaTest, a_volatile_default_is_an_error_with_the_columns_name) {
  start(kTable);
  sql("ALTER TABLE t ADD COLUMN token uuid DEFAULT gen_random_uuid()");
  sql("INSERT INTO t (id) VALUES (100)");
  std::optional<Error> error;
  for (int i = 0; i < 100 && !error; ++i) {
    auto event = stream_->next(std::chrono::milliseconds(100), {});
    if (!event.ok()) error = event.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Error::Code::unsupported);
  EXPECT_THAT(error->message, ::testing::HasSubstr("token"));
}

TEST_F(SourceSchemaTest, a_rename_is_recognised_as_one) {
  start(kTable);
  sql("ALTER TABLE t RENAME COLUMN a TO title");
  sql("UPDATE t SET title = upper(title) WHERE id < 5");
  catch_up();
  expect_equal();
  ASSERT_EQ(steps(), (Steps{{Kind::rename, "title"}}));
  EXPECT_EQ(replica_.schema_changes()[0].columns[0].old_name, "a");
  EXPECT_EQ(replica_.schema_changes()[0].after->version, 2u);
}

TEST_F(SourceSchemaTest, a_drop_and_an_add_of_the_same_name_are_no_rename) {
  start(kTable);
  sql("ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a text DEFAULT 'again'");
  sql("UPDATE t SET b = b + 1 WHERE id < 5");
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::drop, "a"}, {Kind::add, "a"}}));
}

TEST_F(SourceSchemaTest, swapped_names_stay_with_their_values) {
  start(
      "CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t SELECT i, 1, 2 FROM "
      "generate_series(1, 9) i");
  sql("ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b");
  sql("UPDATE t SET a = 20 WHERE id = 1");
  catch_up();
  expect_equal();
}

TEST_F(SourceSchemaTest, type_changes_and_loosened_nulls_are_told_with_the_rows_that_need_them) {
  start("CREATE TABLE t (id int PRIMARY KEY, v varchar(10) NOT NULL)");
  sql("ALTER TABLE t ALTER COLUMN v TYPE text");
  sql("ALTER TABLE t ALTER COLUMN v DROP NOT NULL");
  sql("INSERT INTO t VALUES (1, repeat('long', 10)), (2, NULL)");
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::retype, "v"}, {Kind::nullability, "v"}}));
}

TEST_F(SourceSchemaTest, changes_inside_of_a_transaction_take_their_place_between_its_rows) {
  start(kTable);
  sql("BEGIN; INSERT INTO t (id) VALUES (100); ALTER TABLE t ADD COLUMN d text DEFAULT 'd';"
      "INSERT INTO t (id, d) VALUES (101, 'x'); ALTER TABLE t DROP COLUMN b; UPDATE t SET d = 'y' WHERE id = "
      "100; COMMIT");
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::add, "d"}, {Kind::drop, "b"}}));
}

TEST_F(SourceSchemaTest, a_catalogue_that_is_ahead_of_the_log_does_not_mix_shapes) {
  start(kTable);
  stream_.reset();
  const auto from = snapshot_->position();
  sql("INSERT INTO t VALUES (100, 'before', 1, 1)");
  sql("ALTER TABLE t ADD COLUMN d text DEFAULT 'dd'");
  sql("INSERT INTO t VALUES (101, 'with d', 1, 1, 'x')");
  sql("ALTER TABLE t RENAME COLUMN a TO title");
  sql("INSERT INTO t VALUES (102, 'renamed', 1, 1, 'x')");
  sql("ALTER TABLE t DROP COLUMN b");
  sql("ALTER TABLE t RENAME COLUMN d TO e");
  sql("INSERT INTO t VALUES (103, 'without b', 1, 'x')");
  must(source_->prepare(from));
  follow(from);
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(),
            (Steps{{Kind::add, "d"}, {Kind::rename, "title"}, {Kind::drop, "b"}, {Kind::rename, "e"}}));
}

TEST_F(SourceSchemaTest, a_catalogue_that_is_ahead_tells_names_that_have_moved_to_other_columns) {
  start(
      "CREATE TABLE t (id int PRIMARY KEY, a text, b int); INSERT INTO t VALUES (1, 'a', 1);"
      "CREATE TABLE swapped (id int PRIMARY KEY, a int, b int, c int); INSERT INTO swapped VALUES (1, 2, 3, "
      "4)");
  stream_.reset();
  const auto from = snapshot_->position();
  sql("ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t ADD COLUMN a int DEFAULT 7");
  sql("INSERT INTO t (id, z, a) VALUES (2, 'z', 8)");
  sql("ALTER TABLE t ADD COLUMN later int; INSERT INTO t (id) VALUES (3)");
  sql("ALTER TABLE swapped RENAME a TO x; ALTER TABLE swapped RENAME b TO a; ALTER TABLE swapped RENAME x TO "
      "b");
  sql("INSERT INTO swapped (id, a, b) VALUES (2, 30, 20)");
  sql("ALTER TABLE swapped DROP COLUMN c; INSERT INTO swapped (id) VALUES (3)");
  must(source_->prepare(from));
  follow(from);
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::rename, "z"},
                            {Kind::add, "a"},
                            {Kind::add, "later"},
                            {Kind::rename, "b"},
                            {Kind::rename, "a"},
                            {Kind::drop, "c"}}));
}

TEST_F(SourceSchemaTest, a_table_that_is_gone_from_the_catalogue_is_still_read_from_the_log) {
  start(
      "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (id int PRIMARY KEY, m mood); CREATE TABLE u "
      "(id int "
      "PRIMARY KEY)");
  stream_.reset();
  const auto from = snapshot_->position();
  sql("INSERT INTO t VALUES (1, 'glad')");
  sql("DROP TABLE t; DROP TYPE mood");
  must(source_->prepare(from));
  follow(from);
  catch_up();
  for (const auto& [id, table] : replica_.tables()) {
    if (table.schema->name.table != "t") continue;
    ASSERT_EQ(table.rows.size(), 1u);
    EXPECT_EQ(table.rows.begin()->second, (Replica::Row{"1", "glad"}));
  }
}

TEST_F(SourceSchemaTest, a_renamed_table_is_followed) {
  start(kTable);
  sql("ALTER TABLE t RENAME TO customers; CREATE SCHEMA sales; ALTER TABLE customers SET SCHEMA sales");
  sql("INSERT INTO sales.customers (id) VALUES (100)");
  catch_up();
  expect_equal();
  ASSERT_EQ(replica_.schema_changes().size(), 1u);
  EXPECT_EQ(to_string(replica_.schema_changes()[0].after->name), "sales.customers");
}

TEST_F(SourceSchemaTest, a_new_primary_key_is_the_key_from_then_on) {
  start(
      "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL); INSERT INTO t SELECT i, 100 - i FROM "
      "generate_series(1, 9) i");
  sql("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (b)");
  sql("UPDATE t SET a = 50 WHERE b = 95; DELETE FROM t WHERE b = 96");
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::key, "a"}, {Kind::key, "b"}}));
}

TEST_F(SourceSchemaTest, a_table_made_while_streaming_is_new_to_us) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  sql("CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true)");
  auto with = config();
  with.publication = "everything";
  with.tables = {"*", "!secret"};
  open(with);
  begin();
  sql("CREATE TABLE fresh (id int PRIMARY KEY, v text); INSERT INTO fresh VALUES (1, 'x')");
  sql("CREATE TABLE secret (id int PRIMARY KEY); INSERT INTO secret VALUES (1)");
  sql("INSERT INTO fresh VALUES (2, 'y')");
  catch_up();
  expect_equal();
  EXPECT_EQ(replica_.tables().size(), 2u);
  ASSERT_EQ(replica_.schema_changes().size(), 1u);
  EXPECT_EQ(replica_.schema_changes()[0].before, nullptr);
}

TEST_F(SourceSchemaTest, changes_in_a_streamed_transaction_are_rolled_back_with_their_savepoint) {
  start("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  sql("BEGIN; INSERT INTO t SELECT i, repeat('a', 300) FROM generate_series(1, 9000) i;"
      "SAVEPOINT s; ALTER TABLE t ADD COLUMN gone int DEFAULT 1;"
      "INSERT INTO t SELECT i, repeat('b', 300), 2 FROM generate_series(10001, 19000) i; ROLLBACK TO s;"
      "INSERT INTO t SELECT i, repeat('c', 300) FROM generate_series(20001, 29000) i;"
      "ALTER TABLE t ADD COLUMN kept int DEFAULT 3;"
      "INSERT INTO t SELECT i, repeat('d', 300), 4 FROM generate_series(30001, 39000) i; COMMIT");
  sql("INSERT INTO t VALUES (1000000, 'after', 5)");
  catch_up();
  EXPECT_GT(replica_.fragments(), 0u);
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::add, "kept"}}));
}

TEST_F(SourceSchemaTest, a_commit_that_is_in_the_log_but_not_in_effect_yet_is_waited_for) {
  use_own();
  start(kTable);
  sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  sql("SELECT pg_reload_conf()");
  std::thread writer([&] {
    sql("BEGIN; ALTER TABLE t ADD COLUMN n int DEFAULT 8; ALTER TABLE t ALTER COLUMN c DROP NOT NULL;"
        "INSERT INTO t VALUES (100, 'a', 1, NULL, 9); COMMIT");
  });
  // A commit waits for its standbys between writing the log and taking effect.
  std::optional<Error> waited;
  while (!waited && replica_.schema_changes().empty()) {
    auto event = stream_->next(std::chrono::milliseconds(200), {});
    if (!event.ok()) {
      waited = event.error();
    } else if (*event) {
      replica_.apply(std::move(**event));
    }
  }
  sql("ALTER SYSTEM RESET synchronous_standby_names");
  sql("SELECT pg_reload_conf()");
  writer.join();
  ASSERT_TRUE(waited) << "the catalogue was asked too early";
  EXPECT_EQ(waited->recovery, Recovery::reconnect) << waited->message;
  reconnect();
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::nullability, "c"}, {Kind::add, "n"}}));
}

TEST_F(SourceSchemaTest, a_running_transaction_that_changes_a_table_is_read_at_its_commit) {
  start("CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t VALUES (1, 'old')");
  auto writer = must(testing::PostgresSession::open(server().uri(database_)));
  must(
      writer.execute("BEGIN; INSERT INTO t SELECT i, repeat('a', 300) FROM generate_series(10, 9000) i;"
                     "ALTER TABLE t ADD COLUMN n int DEFAULT 8;"
                     "INSERT INTO t SELECT i, repeat('b', 300), 9 FROM generate_series(10001, 19000) i"));
  std::optional<Error> refused;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!refused) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the new column was read without its default";
    auto event = stream_->next(std::chrono::milliseconds(200), {});
    if (!event.ok()) {
      refused = event.error();
    } else if (*event) {
      replica_.apply(std::move(**event));
    }
  }
  EXPECT_EQ(refused->recovery, Recovery::reconnect) << refused->message;
  reconnect();
  must(writer.execute("COMMIT"));
  catch_up();
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::add, "n"}}));
}

TEST_F(SourceSchemaTest, a_change_by_others_seen_first_in_a_rolled_back_savepoint_is_told_again) {
  start("CREATE TABLE big (id int PRIMARY KEY, pad text); CREATE TABLE t (id int PRIMARY KEY, pad text)");
  auto one = must(testing::PostgresSession::open(server().uri(database_)));
  must(one.execute("BEGIN"));
  must(one.execute("INSERT INTO big SELECT i, repeat('a', 300) FROM generate_series(1, 9000) i"));
  sql("ALTER TABLE t ADD COLUMN n int DEFAULT 8");
  must(one.execute("SAVEPOINT s"));
  must(one.execute("INSERT INTO t SELECT i, repeat('b', 300) FROM generate_series(1, 9000) i"));
  must(one.execute("ROLLBACK TO s"));
  must(one.execute("INSERT INTO t SELECT i, repeat('c', 300) FROM generate_series(1, 9000) i"));
  must(one.execute("COMMIT"));
  catch_up();
  EXPECT_GT(replica_.fragments(), 1u);
  expect_equal();
  EXPECT_EQ(steps(), (Steps{{Kind::add, "n"}}));
}

}  // namespace
}  // namespace maia::postgres
