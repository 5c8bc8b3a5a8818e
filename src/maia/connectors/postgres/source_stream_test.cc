// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

/// Text that neither compresses nor fits a page, so that it is stored out of line.
constexpr const char* kLarge = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 200))";

TEST_F(SourceTest, rolled_back_savepoints_of_a_streamed_transaction_never_arrive) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  open();
  begin();
  sql("BEGIN;"
      "INSERT INTO t SELECT i, repeat('a', 200) FROM generate_series(1, 9000) i;"
      "SAVEPOINT one;"
      "INSERT INTO t SELECT i, repeat('b', 200) FROM generate_series(10001, 19000) i;"
      "SAVEPOINT two;"
      "INSERT INTO t SELECT i, repeat('c', 200) FROM generate_series(20001, 29000) i;"
      "RELEASE two;"
      "UPDATE t SET pad = 'gone' WHERE id < 5000;"
      "ROLLBACK TO one;"
      "INSERT INTO t SELECT i, repeat('d', 200) FROM generate_series(30001, 39000) i;"
      "SAVEPOINT three;"
      "DELETE FROM t WHERE id <= 100;"
      "INSERT INTO t SELECT i, repeat('e', 200) FROM generate_series(40001, 49000) i;"
      "RELEASE three;"
      "COMMIT");
  catch_up();
  EXPECT_GT(replica_.fragments(), 0u) << "the transaction was not streamed, so this test shows nothing";
  EXPECT_EQ(replica_.transactions(), 1u);
  expect_equal();
  EXPECT_EQ(replica_.tables().begin()->second.rows.size(), 9000u + 9000 - 100 + 9000);
}

TEST_F(SourceTest, a_streamed_transaction_that_rolls_back_leaves_nothing) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  open();
  begin();
  sql("BEGIN; INSERT INTO t SELECT i, repeat('a', 300) FROM generate_series(1, 20000) i; ROLLBACK");
  sql("INSERT INTO t VALUES (1, 'after')");
  catch_up();
  expect_equal();
  EXPECT_EQ(replica_.tables().begin()->second.rows.size(), 1u);
}

TEST_F(SourceTest, first_subtransaction_rolled_back_and_the_table_not_described_again) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  open();
  begin();
  // The table is described inside of the savepoint that is rolled back, and only there.
  sql("BEGIN; SAVEPOINT s; INSERT INTO t SELECT i, repeat('a', 300) FROM generate_series(1, 20000) i; "
      "ROLLBACK TO s;"
      "INSERT INTO t SELECT i, repeat('b', 300) FROM generate_series(1, 20000) i; COMMIT");
  catch_up();
  EXPECT_GT(replica_.fragments(), 0u);
  expect_equal();
}

TEST_F(SourceTest, interleaved_streamed_transactions_stay_apart) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  open();
  begin();
  auto one = must(testing::PostgresSession::open(server().uri(database_)));
  auto two = must(testing::PostgresSession::open(server().uri(database_)));
  must(one.execute("BEGIN"));
  must(two.execute("BEGIN"));
  for (int i = 0; i < 6; ++i) {
    const auto from = std::to_string(i * 3000);
    must(one.execute("INSERT INTO t SELECT i, repeat('1', 200) FROM generate_series(" + from + ", " + from +
                     " + 2999) i"));
    must(two.execute("INSERT INTO t SELECT -1 - i, repeat('2', 200) FROM generate_series(" + from + ", " +
                     from + " + 2999) i"));
  }
  must(two.execute("COMMIT"));
  sql("INSERT INTO t VALUES (1000000, 'between')");
  must(one.execute("COMMIT"));
  catch_up();
  EXPECT_GT(replica_.fragments(), 2u);
  expect_equal();
}

TEST_F(SourceTest, a_large_committed_transaction_goes_out_in_fragments_after_what_came_before) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text)");
  auto with = config();
  with.decoding_memory = ByteSize::gib(1);  // the server streams nothing
  open(with);
  begin();
  // Everything is there when the stream begins, so that the small transaction and the large one are read
  // together.
  stream_.reset();
  sql("INSERT INTO t VALUES (1, 'first')");
  sql("INSERT INTO t SELECT i, repeat('a', 500) FROM generate_series(2, 70000) i");
  sql("UPDATE t SET pad = 'last' WHERE id = 1");
  reconnect();
  catch_up();
  EXPECT_GT(replica_.fragments(), 1u);
  EXPECT_EQ(replica_.transactions(), 3u);
  expect_equal();
}

TEST_F(SourceTest, untouched_large_values_stay_what_they_were) {
  sql("CREATE TABLE t (id int PRIMARY KEY, n int, large text)");
  sql(std::string("INSERT INTO t SELECT i, 0, ") + kLarge + " FROM generate_series(1, 20) i");
  open();
  begin();
  sql("UPDATE t SET n = 1");
  sql("UPDATE t SET id = id + 100 WHERE id <= 5");
  sql(std::string("BEGIN; UPDATE t SET n = 2, large = ") + kLarge +
      " WHERE id = 6; UPDATE t SET n = 3 WHERE id = 6; COMMIT");
  sql("UPDATE t SET large = NULL WHERE id = 7");
  catch_up();
  expect_equal();
}

TEST_F(SourceTest, replica_identity_full_without_key_keeps_duplicates_apart) {
  sql("CREATE TABLE t (a int, b text); ALTER TABLE t REPLICA IDENTITY FULL;"
      "INSERT INTO t SELECT i % 3, CASE WHEN i % 2 = 0 THEN 'x' END FROM generate_series(1, 30) i");
  open();
  begin();
  sql("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1)");
  sql("UPDATE t SET b = 'y' WHERE ctid = (SELECT max(ctid) FROM t WHERE a = 2)");
  sql("INSERT INTO t VALUES (1, 'x'), (1, 'x')");
  catch_up();
  expect_equal();
}

TEST_F(SourceTest, replica_identity_index_finds_rows_by_its_columns) {
  sql("CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL UNIQUE, n int);"
      "ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key;"
      "INSERT INTO t SELECT i, 'c' || i, 0 FROM generate_series(1, 10) i");
  open();
  begin();
  sql("UPDATE t SET id = id + 100, n = 1 WHERE id < 4");
  sql("UPDATE t SET code = 'new' WHERE id = 5");
  sql("DELETE FROM t WHERE id = 6");
  catch_up();
  expect_equal();
}

TEST_F(SourceTest, truncate_of_several_tables_comes_as_one) {
  sql("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY REFERENCES parent);"
      "INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1)");
  open();
  begin();
  sql("BEGIN; INSERT INTO parent VALUES (3); TRUNCATE parent CASCADE; INSERT INTO parent VALUES (4); COMMIT");
  catch_up();
  expect_equal();
}

TEST_F(SourceTest, an_idle_source_still_moves_its_position) {
  sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE ignored (id int PRIMARY KEY)");
  auto with = config();
  with.tables = {"t"};
  open(with);
  begin();
  const auto before = replica_.position();
  sql("INSERT INTO ignored SELECT generate_series(1, 1000)");
  must(source_->heartbeat());
  catch_up();
  EXPECT_TRUE(source_->compare(replica_.position(), before) > 0);
  EXPECT_EQ(replica_.transactions(), 0u);
  must(stream_->confirm(replica_.position()));
  const auto lsn = must(LogPlace::parse(replica_.position())).lsn;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    static_cast<void>(must(stream_->next(std::chrono::milliseconds(50), {})));
    const auto slot = value("SELECT confirmed_flush_lsn >= '" + to_string(lsn) +
                            "' FROM pg_replication_slots WHERE database = current_database()");
    if (slot == "t") break;
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the slot does not advance";
  }
}

TEST_F(SourceTest, what_was_confirmed_is_not_sent_again_and_what_was_not_is) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  begin();
  sql("INSERT INTO t VALUES (1)");
  catch_up();
  const auto durable = replica_.position();
  sql("INSERT INTO t VALUES (2)");
  catch_up();
  stream_.reset();
  // As if the destination had lost the second insert: it must come again, and only it.
  auto& rows = replica_.tables().begin()->second.rows;
  std::erase_if(rows, [](const auto& row) { return row.second[0] == "2"; });
  must(source_->prepare(durable));
  follow(durable);
  catch_up();
  expect_equal();
}

TEST_F(SourceTest, a_stream_can_be_stopped_while_it_waits) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  begin();
  catch_up();
  std::stop_source stop;
  stop.request_stop();
  const auto began = std::chrono::steady_clock::now();
  static_cast<void>(must(stream_->next(std::chrono::seconds(30), stop.get_token())));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(SourceTest, with_origin_none_what_came_by_replication_is_left_out) {
  use(testing::shared_postgres(17));
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  auto with = config();
  with.origin = ChangeOrigin::none;
  open(with);
  begin();
  const auto origin = "'elsewhere_" + database_ + "'";
  sql("SELECT pg_replication_origin_create(" + origin + ")");
  sql("SELECT pg_replication_origin_session_setup(" + origin + "); INSERT INTO t VALUES (1)");
  sql("INSERT INTO t VALUES (2)");
  catch_up();
  ASSERT_EQ(replica_.tables().size(), 1u);
  const auto& rows = replica_.tables().begin()->second.rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.begin()->second, Replica::Row{"2"});
  sql("SELECT pg_replication_origin_drop(" + origin + ")");
}

TEST_F(SourceTest, origin_none_is_refused_where_the_server_cannot_do_it) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  auto with = config();
  with.origin = ChangeOrigin::none;
  open(with);
  const auto prepared = must(source_->prepare({}));
  const auto stream = source_->stream(prepared.from, schemas());
  if (version() >= 16) return;
  ASSERT_FALSE(stream.ok());
  EXPECT_THAT(stream.error().message, ::testing::HasSubstr("origin: none needs PostgreSQL 16"));
}

TEST_F(SourceTest, a_column_of_a_text_only_type_makes_the_stream_begin_again_in_text) {
  sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TYPE pair AS (a int, b text)");
  open();
  begin();
  sql("INSERT INTO t VALUES (1)");
  catch_up();
  const auto position = replica_.position();
  sql("ALTER TABLE t ADD COLUMN p pair; INSERT INTO t VALUES (2, ROW(1, 'x'))");
  const auto end = must(source_->end());
  std::optional<Error> refused;
  while (!refused) {
    auto event = stream_->next(std::chrono::milliseconds(200), {});
    if (!event.ok()) {
      refused = event.error();
    } else if (*event) {
      replica_.apply(std::move(**event));
      ASSERT_FALSE(source_->compare(replica_.position(), end) >= 0) << "the stream was not binary at first";
    }
  }
  EXPECT_EQ(refused->recovery, Recovery::reconnect);
  stream_.reset();
  must(source_->prepare(position));
  follow(position);
  catch_up();
  expect_equal();
}

}  // namespace
}  // namespace maia::postgres
