// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/source_fixture.h"

namespace maia::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MysqlStream : public MysqlSourceTest {};
MAIA_MYSQL_TESTS(MysqlStream);

TEST_P(MysqlStream, inserts_updates_and_deletes_arrive_in_transactions) {
  sql("create table t (id int primary key, n int, s varchar(20)); insert into t values (1, 10, 'one'), (2, "
      "20, 'two')");
  open();
  begin();
  sql("insert into t values (3, 30, 'three')");
  sql("begin; update t set n = n + 1; delete from t where id = 2; insert into t values (4, null, 'four'); "
      "commit");
  sql("update t set id = 5 where id = 1");
  catch_up();
  EXPECT_EQ(replica_.transactions(), 3U);
  expect_equal();
  EXPECT_EQ(rows_of("t").size(), 3U);
}

TEST_P(MysqlStream, what_is_rolled_back_never_arrives) {
  sql("create table t (id int primary key, s varchar(20)); create table mixed (id int primary key) engine = "
      "MyISAM");
  auto with = config();
  with.tables = {"t"};
  open(with);
  begin();
  sql("begin; insert into t values (1, 'kept'); savepoint a; insert into t values (2, 'gone'); rollback to "
      "a; "
      "insert into t values (3, 'kept'); commit");
  sql("begin; insert into t values (4, 'gone'); rollback");
  catch_up();
  expect_equal_rows({"1", "3"});
  if (!mariadb()) return;  // MySQL with GTIDs refuses to mix them
  // A table without transactions keeps the savepoint and what is rolled back in the log.
  sql("begin; insert into t values (5, 'kept'); savepoint a; insert into t values (6, 'gone'); insert into "
      "mixed "
      "values (1); rollback to a; insert into t values (7, 'kept'); commit");
  catch_up();
  expect_equal_rows({"1", "3", "5", "7"});
}

TEST_P(MysqlStream, a_large_transaction_goes_out_in_fragments) {
  sql("create table t (id int primary key, s varchar(300)); create table seq (n int primary key)");
  sql("insert into seq values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)");
  open();
  begin();
  sql("begin; insert into t values (-1, 'first'); insert into t select a.n + 10*b.n + 100*c.n + 1000*d.n + "
      "10000*e.n, repeat('x', 100) "
      "from seq a, seq b, seq c, seq d, seq e where e.n < 6; update t set s = 'short' where id < 100; "
      "commit");
  sql("insert into t values (-2, 'last')");
  catch_up();
  EXPECT_GT(replica_.fragments(), 1U);
  EXPECT_EQ(replica_.transactions(), 2U);
  expect_equal();
}

TEST_P(MysqlStream, goes_on_behind_rotations_and_restarts_of_the_server) {
  auto& own = use_own();
  sql("create table t (id int primary key, s varchar(20)); insert into t values (1, 'one')");
  open();
  begin();
  sql("insert into t values (2, 'two'); flush binary logs; insert into t values (3, 'three')");
  catch_up();
  sql("insert into t values (4, 'four')");
  own.kill9();
  must(own.restart());
  sql("update t set s = 'again' where id = 4");
  reconnect();
  catch_up();
  EXPECT_EQ(rows_of("t").size(), 4U);
  expect_equal();
}

TEST_P(MysqlStream, purged_logs_are_lost_history) {
  use_own();
  sql("create table t (id int primary key)");
  open();
  begin();
  catch_up();
  stream_.reset();
  sql("insert into t values (1); flush binary logs; insert into t values (2); flush binary logs");
  // A log that is still being sent, or that a recovery of the server might need, is not purged.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (must(server().query("show binary logs")).size() > 1) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the logs are not purged";
    const auto last = value(mariadb() ? "show master status" : "show binary log status");
    sql("purge binary logs to '" + last + "'");
  }
  const auto prepared = source_->prepare(replica_.position());
  auto error = prepared.ok() ? std::optional<Error>() : prepared.error();
  if (!error) {
    follow(replica_.position());
    const auto caught_up = try_catch_up();
    ASSERT_FALSE(caught_up.ok());
    error = caught_up.error();
  }
  EXPECT_EQ(error->code, Error::Code::lost_history) << error->message;
  EXPECT_EQ(error->reason, "log_purged");
}

TEST_P(MysqlStream, where_it_begins_is_told_though_nothing_is_written) {
  sql("create table t (id int primary key)");
  open();
  begin();
  replica_.set_position(Position{});
  catch_up();
  EXPECT_EQ(replica_.position(), must(source_->end()));
}

TEST_P(MysqlStream, an_idle_source_still_moves_its_position) {
  sql("create table t (id int primary key); create table other (id int primary key)");
  auto with = config();
  with.tables = {"t"};
  open(with);
  begin();
  const auto before = replica_.position();
  sql("insert into other values (1)");
  catch_up();
  EXPECT_TRUE(source_->compare(replica_.position(), before) > 0);
  EXPECT_EQ(replica_.transactions(), 0U);
}

}  // namespace
}  // namespace maia::mysql
