// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "maia/connectors/mysql/source_fixture.h"

namespace maia::mysql {
namespace {

class MysqlSnapshot : public MysqlSourceTest {
 protected:
  /// So many rows of `values`, which may use n.
  void fill(const std::string& table, int rows, const std::string& values) {
    std::string sql_text;
    for (int n = 0; n < rows; ++n)
      sql_text += (n > 0 ? ", (" : "(") + fmt::format(fmt::runtime(values), fmt::arg("n", n)) + ")";
    sql("insert into " + table + " values " + sql_text);
  }
  SourceConfig in_small_chunks() {
    auto with = config();
    with.chunk_rows = 10;
    return with;
  }
};
MAIA_MYSQL_TESTS(MysqlSnapshot);

TEST_P(MysqlSnapshot, tables_are_cut_by_keys_of_every_kind_and_every_row_is_read_once) {
  sql("create table a (id int primary key); create table b (x varchar(20), y int, v int, primary key (x, "
      "y)); create table "
      "c (id varbinary(9) primary key); create table d (id datetime(3) primary key); create table e (id "
      "decimal(9,2) "
      "primary key); create table f (id enum('z','a') , n int, primary key (id, n))");
  fill("a", 95, "{n} * 7 - 300");
  fill("b", 95, "char(65 + {n} mod 7, 39, 92 using utf8mb4), {n} - 40, {n}");
  fill("c", 95, "char({n}, 0, 255)");
  fill("d", 95, "'2024-01-01' + interval {n} * 1001 microsecond");
  fill("e", 95, "{n} / 4 - 9");
  fill("f", 95, "1 + {n} mod 2, {n}");
  open(in_small_chunks());
  must(source_->prepare({}));
  const auto snapshot = must(source_->snapshot());
  for (const auto& table : schemas(*source_)) {
    const auto plan = must(snapshot->plan(table, {}));
    EXPECT_EQ(plan.chunks.size(), table->name.table == "f" ? 1U : 10U) << table->name.table;
    replica_.table(table);
    testing::copy_table(*snapshot, table, plan, replica_);
    EXPECT_EQ(rows_of(table->name.table).size(), 95U) << table->name.table;
  }
}

TEST_P(MysqlSnapshot, an_interrupted_copy_goes_on_with_the_ranges_that_are_left) {
  sql("create table t (id int primary key, n int)");
  fill("t", 95, "{n}, {n}");
  open(in_small_chunks());
  const auto prepared = must(source_->prepare({}));
  const auto table = schemas(*source_).front();
  TablePlanProgress progress;
  {
    const auto snapshot = must(source_->snapshot());
    auto plan = must(snapshot->plan(table, {}));
    progress.token = plan.token;
    plan.chunks.resize(4);
    for (const auto& chunk : plan.chunks) progress.done.push_back(chunk.number);
    replica_.table(table);
    testing::copy_table(*snapshot, table, plan, replica_);
  }
  sql("update t set n = -n; delete from t where id in (1, 90); update t set id = 1000 where id = 2; update t "
      "set id = 3000 "
      "where id = 80; update t set id = 2 where id = 81; insert into t values (-5, 0), (500, 0)");
  must(source_->prepare(prepared.from));
  const auto snapshot = must(source_->snapshot());
  EXPECT_TRUE(source_->compare(snapshot->position(), prepared.from) > 0);
  const auto plan = must(snapshot->plan(table, progress));
  EXPECT_EQ(plan.chunks.size(), 6U);
  EXPECT_TRUE(plan.converging);
  EXPECT_FALSE(plan.restarted);
  replica_.table(table).converging = true;
  testing::copy_table(*snapshot, table, plan, replica_);
  replica_.set_position(prepared.from);
  follow(prepared.from);
  catch_up();
  expect_equal();
}

TEST_P(MysqlSnapshot, what_cannot_go_on_is_read_again_as_a_whole) {
  sql("create table keyless (n int); create table t (id int primary key)");
  fill("t", 30, "{n}");
  open(in_small_chunks());
  must(source_->prepare({}));
  const auto tables = schemas(*source_);
  const auto snapshot = must(source_->snapshot());
  for (const auto& table : tables) {
    auto plan = must(snapshot->plan(table, {}));
    const auto again =
        must(snapshot->plan(table, TablePlanProgress{plan.token, {plan.chunks.front().number}}));
    EXPECT_EQ(again.restarted, table->key().empty()) << table->name.table;
    TableSchema other = *table;
    other.columns.front().native_type = "bigint";
    const auto moved = must(snapshot->plan(std::make_shared<const TableSchema>(other),
                                           TablePlanProgress{plan.token, {plan.chunks.front().number}}));
    EXPECT_TRUE(moved.restarted) << table->name.table;
    EXPECT_GT(moved.chunks.front().number, plan.chunks.back().number);
  }
}

/// Three who write without a pause for as long as it lives.
class Writers {
 public:
  Writers(testing::MysqlServer& server, const std::string& database) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([&server, database, this] {
        auto session = server.session(database).value();
        while (!done_)
          static_cast<void>(session.execute(
              "insert into t (n) values (1); update t set n = n + 1 order by id desc limit 1"));
      });
    }
  }
  ~Writers() {
    done_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> done_ = false;
  std::vector<std::thread> threads_;
};

TEST_P(MysqlSnapshot, is_exact_while_others_write) {
  sql("create table t (id int primary key auto_increment, n int)");
  open();
  {
    const Writers writers(server(), database_);
    begin();
  }
  catch_up();
  expect_equal();
}

/// Where no quiet moment is found.
class MysqlBusySnapshot : public MysqlSnapshot {
 protected:
  void SetUp() override {
    MysqlSnapshot::SetUp();
    sql("create table t (id int primary key auto_increment, n int)");
    open();
    terms_.connect.endpoint = config().connection;
    terms_.tables = {{database_, "t"}};
    terms_.quiet_tries = 0;
  }
  void begin_from(const std::shared_ptr<ViewPool>& views) {
    KeySnapshot snapshot(views, terms_);
    copy_all(*source_, snapshot, replica_);
    replica_.set_position(snapshot.position());
    follow(snapshot.position());
  }
  /// How often anybody has locked tables.
  int locks() {
    return std::stoi(must(server().query("show global status like 'Com_lock_tables'"))[0][1].value());
  }

  SnapshotTerms terms_;
};
MAIA_MYSQL_TESTS(MysqlBusySnapshot);

TEST_P(MysqlBusySnapshot, locks_the_tables_for_a_moment_and_is_exact) {
  const auto before = locks();
  {
    const Writers writers(server(), database_);
    begin_from(must(ViewPool::open(terms_)));
    EXPECT_EQ(locks(), before + 1);
  }
  catch_up();
  expect_equal();
}

TEST_P(MysqlBusySnapshot, without_the_privilege_is_exact_from_one_session_or_names_the_privilege) {
  const auto user = "'r_" + database_ + "'@'%'";
  sql("create user " + user + " identified by 'secret'; grant select on " + database_ + ".* to " + user +
      "; grant replication client on *.* to " + user);
  terms_.connect.endpoint.user = "r_" + database_;
  terms_.connect.endpoint.password = Secret("secret");
  {
    const Writers writers(server(), database_);
    auto views = ViewPool::open(terms_);
    if (!mariadb()) {
      ASSERT_FALSE(views.ok());
      EXPECT_THAT(views.error().hint, ::testing::HasSubstr("GRANT LOCK TABLES"));
      return;
    }
    begin_from(must(std::move(views)));
  }
  catch_up();
  expect_equal();
}

TEST_P(MysqlBusySnapshot, does_not_hold_up_others_behind_a_writer_who_stays) {
  auto stays = must(server().session(database_));
  must(stays.execute("begin; insert into t (n) values (1)"));
  auto views = ViewPool::open(terms_);
  if (!mariadb()) {
    ASSERT_FALSE(views.ok());
    EXPECT_EQ(views.error().recovery, Recovery::retry);
    EXPECT_THAT(views.error().hint, ::testing::HasSubstr("stays open"));
    sql("insert into t (n) values (2)");
    must(stays.execute("commit"));
    views = ViewPool::open(terms_);
  }
  begin_from(must(std::move(views)));
  must(stays.execute("commit"));
  catch_up();
  expect_equal();
}

class MysqlChecks : public MysqlSourceTest {};
MAIA_MYSQL_TESTS(MysqlChecks);

TEST_P(MysqlChecks, name_each_privilege_that_is_missing_and_just_these_suffice) {
  sql("create table t (id int primary key); insert into t values (1)");
  const auto user = "'r_" + database_ + "'@'%'";
  sql("create user " + user + " identified by 'secret'; grant select on " + database_ + ".* to " + user);
  auto with = config();
  with.connection.user = "r_" + database_;
  with.connection.password = Secret("secret");
  open(with);
  std::vector<std::string> fixes;
  for (const auto& finding : must(source_->check())) {
    if (finding.level == Finding::Level::error) fixes.push_back(finding.fix);
  }
  ASSERT_EQ(fixes.size(), 2U);
  for (const auto& fix : fixes) sql(fix);
  open(with);
  for (const auto& finding : must(source_->check()))
    EXPECT_NE(finding.level, Finding::Level::error) << finding.what;
  begin();
  sql("insert into t values (2)");
  catch_up();
  expect_equal_rows({"1", "2"});
}

TEST_P(MysqlChecks, name_foreign_keys_whose_changes_are_not_logged_and_where_they_are_they_arrive) {
  sql("create table p (id int primary key); create table t (id int primary key, p int, constraint away "
      "foreign "
      "key (p) references p (id) on delete cascade); insert into p values (1), (2); insert into t values "
      "(10, "
      "1), (20, 2)");
  open();
  std::string warnings;
  for (const auto& finding : must(source_->check())) {
    if (finding.level == Finding::Level::warning) warnings += finding.what + "; ";
  }
  begin();
  sql("delete from p where id = 1");
  catch_up();
  const auto named = ::testing::HasSubstr(database_ + ".t has the foreign key away with ON DELETE CASCADE");
  if (mariadb()) {
    EXPECT_THAT(warnings, named);
    expect_equal_rows({"10", "20"});
  } else {
    EXPECT_THAT(warnings, ::testing::Not(named));
    expect_equal_rows({"20"});
  }
}

TEST_P(MysqlChecks, say_which_settings_the_log_lacks) {
  use_own({{"binlog-format", "STATEMENT"}, {"binlog-row-image", "MINIMAL"}});
  sql("create table m (id int primary key) engine = MyISAM");
  open();
  std::string errors, warnings;
  for (const auto& finding : must(source_->check()))
    (finding.level == Finding::Level::error ? errors : warnings) += finding.what + "; ";
  EXPECT_THAT(errors, ::testing::HasSubstr("binlog_format is STATEMENT"));
  EXPECT_THAT(errors, ::testing::HasSubstr("engine MyISAM has no transactions"));
  EXPECT_THAT(warnings, ::testing::HasSubstr("binlog_row_image is MINIMAL; FULL is better"));
  EXPECT_FALSE(source_->prepare({}).ok());
}

TEST_P(MysqlChecks, name_a_replica_whose_log_lacks_what_it_receives) {
  use_own({{mariadb() ? "log-slave-updates" : "log-replica-updates", "OFF"}});
  if (mariadb()) {
    open();
    begin();  // who receives nothing may have it off
    stream_.reset();
    must(server().execute("set global gtid_slave_pos = '0-7-1000'"));
  }
  open();
  const auto refused = source_->prepare({});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("_updates is OFF; ON is needed"));
}

}  // namespace
}  // namespace maia::mysql
