// SPDX-License-Identifier: Apache-2.0
// What a server may write to its log besides the plain case.
#include <fmt/format.h>

#include "maia/connectors/mysql/source_fixture.h"

namespace maia::mysql {
namespace {

class MysqlLog : public MysqlSourceTest {};
MAIA_MYSQL_TESTS(MysqlLog);

TEST_P(MysqlLog, rows_of_an_xa_transaction_come_at_its_commit_also_after_a_restart) {
  sql("create table t (id int primary key, s varchar(20))");
  open();
  begin();
  auto xa = must(server().session(database_));
  must(xa.execute(
      "xa start 'one','b',7; insert into t values (1, 'xa'); xa end 'one','b',7; xa prepare 'one','b',7"));
  auto other = must(server().session(database_));
  must(other.execute("xa start 'two'; insert into t values (2, 'gone'); xa end 'two'; xa prepare 'two'"));
  sql("insert into t values (3, 'between')");
  if (mariadb()) {
    catch_up();
    expect_equal_rows({"3"});
  } else {
    // Its position leaves out what is not decided, so it is never at the end meanwhile.
    while (replica_.transactions() < 1) {
      if (auto event = must(stream_->next(std::chrono::seconds(1), {}))) replica_.apply(std::move(*event));
    }
  }
  reconnect();
  must(xa.execute("xa commit 'one','b',7"));
  must(other.execute("xa rollback 'two'"));
  sql("insert into t values (4, 'after')");
  catch_up();
  expect_equal_rows({"1", "3", "4"});
  expect_equal();
}

TEST_P(MysqlLog, an_xa_transaction_of_one_phase_is_like_any_other) {
  sql("create table t (id int primary key)");
  open();
  begin();
  sql("xa start 'x'; insert into t values (1); xa end 'x'; xa commit 'x' one phase");
  catch_up();
  expect_equal_rows({"1"});
}

TEST_P(MysqlLog, compressed_transactions_and_rows_are_read) {
  if (mariadb()) {
    use_own({{"log-bin-compress", "ON"}, {"log-bin-compress-min-len", "10"}});
  } else {
    use_own({{"binlog-transaction-compression", "ON"}});
  }
  sql("create table t (id int primary key, s text, n int)");
  open();
  begin();
  sql("insert into t values (1, repeat('a', 5000), 1), (2, repeat('b', 300), 2), (3, 'c', 3)");
  sql("begin; update t set n = n + 1, s = concat(s, 'x'); delete from t where id = 3; commit");
  catch_up();
  expect_equal();
}

TEST_P(MysqlLog, minimal_and_noblob_images_leave_out_what_did_not_change) {
  for (const std::string image : {"minimal", "noblob"}) {
    SCOPED_TRACE(image);
    use(testing::shared_mysql(GetParam()));
    replica_ = {};
    sql("create table t (id int primary key, n int default 7, large longtext, s varchar(20)); insert into t "
        "values (1, 1, "
        "repeat('x', 9000), 'a'), (2, 2, 'y', 'b'), (3, 3, null, 'c')");
    open();
    begin();
    const auto set = "set session binlog_row_image = " + image + "; ";
    sql(set + "update t set n = 10 where id = 1");
    sql(set + "update t set id = 20 where id = 2");
    sql(set + "delete from t where id = 3");
    sql(set + "insert into t values (4, null, null, 'd')");
    sql(set + "update t set large = 'z' where id = 4");
    catch_up();
    expect_equal();
    EXPECT_EQ(rows_of("t").size(), 3U);
    if (image != "minimal") continue;
    sql(set + "insert into t (id, large) values (5, null)");
    const auto refused = try_catch_up();
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr("leaves out column n"));
  }
}

TEST_P(MysqlLog, a_table_without_a_key_keeps_its_duplicates) {
  sql("create table t (a int, b varchar(5)); insert into t values (1, 'x'), (1, 'x'), (2, null), (2, null)");
  open();
  begin();
  sql("delete from t where a = 1 limit 1; update t set b = 'y' where a = 2 limit 1; insert into t values (1, "
      "'x')");
  catch_up();
  expect_equal();
  EXPECT_EQ(rows_of("t").size(), 4U);
}

TEST_P(MysqlLog, truncate_empties_the_table_and_a_dropped_one_begins_anew) {
  sql("create table t (id int primary key); create table `odd ``name` (id int primary key); insert into t "
      "values (1)");
  open();
  begin();
  sql("insert into `odd ``name` values (1); truncate `odd ``name`; insert into `odd ``name` values (2)");
  sql("truncate table t; insert into t values (7)");
  catch_up();
  expect_equal();
  EXPECT_EQ(rows_of("t").size(), 1U);
  EXPECT_EQ(rows_of("odd `name").size(), 1U);
}

TEST_P(MysqlLog, a_table_that_is_made_anew_begins_empty) {
  sql("create table t (id int primary key); insert into t values (1), (2)");
  open();
  begin();
  sql("create table if not exists t (id int primary key); insert into t values (3)");
  catch_up();
  EXPECT_EQ(rows_of("t").size(), 3U);
  sql("drop table t; create table t (id int primary key, n int); insert into t values (2, 5)");
  catch_up();
  expect_equal();
  sql("rename table t to old; create table t (id int primary key, n int); insert into t values (2, 6)");
  catch_up();
  EXPECT_EQ(rows_of("t"), std::vector<Replica::Row>({{"2", "6"}}));
}

TEST_P(MysqlLog, a_copy_by_gh_ost_takes_the_place_of_its_table_and_no_other_table_may) {
  sql("create table t (id int primary key, a int); insert into t values (1, 1), (2, 2)");
  auto with = config();
  with.tables = {"t"};
  open(with);
  begin();
  sql("create table _t_gho like t; alter table _t_gho add column b int default 7; insert into _t_gho (id, a) "
      "select id, a "
      "from t; rename table t to _t_del, _t_gho to t; insert into t values (3, 3, 3); update t set b = 8 "
      "where id = 1");
  catch_up();
  EXPECT_EQ(rows_of("t"), std::vector<Replica::Row>({{"1", "1", "8"}, {"2", "2", "7"}, {"3", "3", "3"}}));
  sql("create table other like t; rename table t to before_it, other to t; insert into t values (9, 9, 9)");
  const auto refused = try_catch_up();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("was put in the place of"));
}

TEST_P(MysqlLog, columns_that_come_go_and_change_their_names_are_followed) {
  sql("create table t (id int primary key, a int, b varchar(10)); insert into t values (1, 1, 'one')");
  open();
  begin();
  sql("insert into t values (2, 2, 'two'); alter table t add column c int not null default 5, add column d "
      "varchar(9) "
      "default 'it''s' after a; insert into t values (3, 3, 'd', 'three', 6)");
  sql("alter table t rename column a to renamed; update t set renamed = 30 where id = 3; alter table t drop "
      "column b; "
      "insert into t values (4, 4, 'x', 4)");
  catch_up();
  expect_equal();
  EXPECT_EQ(replica_.schema_changes().size(), 3U);
  EXPECT_EQ(replica_.schema_changes()[1].columns[0].kind, ColumnChange::Kind::rename);
}

TEST_P(MysqlLog, without_names_in_the_log_the_catalogue_has_them) {
  use_own({{"binlog-row-metadata", mariadb() ? "NO_LOG" : "MINIMAL"}});
  sql("create table t (id int primary key, u tinyint unsigned, s varchar(9) character set latin1); insert "
      "into t values "
      "(1, 255, 'é')");
  open();
  begin();
  sql("insert into t values (2, 254, 'ü')");
  catch_up();
  sql("alter table t add column c int default 9; insert into t values (3, 253, 'ö', 1)");
  catch_up();
  expect_equal();
}

TEST_P(MysqlLog, a_new_table_arrives_with_all_its_rows) {
  sql("create table t (id int primary key)");
  open();
  begin();
  sql("create table fresh (id int primary key, s text); insert into fresh values (1, 'x'); create table "
      "copied as select "
      "* from fresh");
  catch_up();
  ASSERT_GE(replica_.schema_changes().size(), 1U);
  EXPECT_EQ(replica_.schema_changes()[0].before, nullptr);
  expect_equal();
}

class OnlyMariadbLog : public MysqlSourceTest {};
INSTANTIATE_TEST_SUITE_P(Products, OnlyMariadbLog, ::testing::Values(MysqlProduct::mariadb),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(OnlyMariadbLog, each_domain_has_its_place_and_new_ones_come_along) {
  use_own();  // whose domains nobody else has used
  sql("create table t (id int primary key); insert into t values (1)");
  open();
  begin();
  sql("insert into t values (2); set gtid_domain_id = 7; insert into t values (3); set gtid_domain_id = 9, "
      "server_id = 90; insert into t values (4); set gtid_domain_id = 7; insert into t values (5)");
  catch_up();
  EXPECT_THAT(replica_.position().token, ::testing::HasSubstr(",7-90-2,9-90-1"));
  reconnect();
  sql("set gtid_domain_id = 9; insert into t values (6); set gtid_domain_id = 0; insert into t values (7)");
  catch_up();
  expect_equal_rows({"1", "2", "3", "4", "5", "6", "7"});
  EXPECT_EQ(replica_.transactions(), 6U);
}

TEST_P(OnlyMariadbLog, a_domain_whose_numbers_go_back_is_a_named_stop) {
  use_own({{"gtid-strict-mode", "OFF"}});
  sql("create table t (id int primary key)");
  open();
  begin();
  // As with two primaries that share a domain and a replica of both.
  sql("set gtid_domain_id = 7, server_id = 11, gtid_seq_no = 40; insert into t values (1); "
      "set server_id = 12, gtid_seq_no = 20; insert into t values (2)");
  const auto caught_up = try_catch_up();
  ASSERT_FALSE(caught_up.ok());
  EXPECT_THAT(caught_up.error().message,
              ::testing::HasSubstr("transaction 7-12-20 behind 7-11-40 of the same domain"));
}

class OnlyMysqlLog : public MysqlSourceTest {};
INSTANTIATE_TEST_SUITE_P(Products, OnlyMysqlLog, ::testing::Values(MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(OnlyMysqlLog, tagged_transactions_have_their_place) {
  sql("create table t (id int primary key)");
  open();
  begin();
  sql("set session gtid_next = 'automatic:night_job'; insert into t values (1); set session gtid_next = "
      "'automatic'; "
      "insert into t values (2)");
  catch_up();
  expect_equal_rows({"1", "2"});
  EXPECT_THAT(replica_.position().token, ::testing::HasSubstr(":night_job:"));
  reconnect();
  sql("insert into t values (3)");
  catch_up();
  expect_equal_rows({"1", "2", "3"});
  EXPECT_EQ(replica_.transactions(), 3U);
}

TEST_P(OnlyMysqlLog, parts_of_json_values_are_put_together) {
  sql(R"(create table t (id int primary key, j json, k json);
      insert into t values
      (1, '{"a": 1, "b": [1, 2, 3], "l": "xxxxxxxxxxxxxxx", "c d": {"e": null}}', '[1]'),
                           (2, '[{"x": "yyyyyyyyyyyyyyyyyyyyyyyyyyy"}, 2, 3]', null))");
  open();
  begin();
  const std::string set = "set session binlog_row_value_options = PARTIAL_JSON; ";
  sql(set + R"(update t set j = json_set(j, '$.a', 'longer'), k = json_set(k, '$[0]', 5) where id = 1)");
  sql(set + R"(update t set j = json_remove(j, '$.b[1]') where id = 1)");
  sql(set + R"(update t set j = json_set(j, '$."c d".e', 7, '$.z', true, '$.b[2]', 9) where id = 1)");
  sql(set + R"(update t set j = json_replace(j, '$[0].x', 'z') where id = 2)");
  catch_up();
  expect_equal();
}

}  // namespace
}  // namespace maia::mysql
