// SPDX-License-Identifier: Apache-2.0
// What a killed server, a lost answer and a user with few privileges come to.
#include <fmt/format.h>

#include <thread>

#include "maia/connectors/mysql/destination_fixture.h"

namespace maia::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A server of its own for each test, which kills it.
class MysqlDurability : public MysqlDestinationTest {
 protected:
  void SetUp() override {
    auto started = testing::MysqlServer::start({.product = GetParam(), .settings = {}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    own = *std::move(started);
    MysqlDestinationTest::SetUp();
    prepare(table);
  }
  void TearDown() override { destination.reset(); }
  testing::MysqlServer& server() override { return *own; }

  std::unique_ptr<testing::MysqlServer> own;
  TestTable table{{"", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0}};
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlDurability, both_products(), product_name);

TEST_P(MysqlDurability, a_server_killed_between_statements_has_nothing_of_what_was_not_committed) {
  for (int i = 0; i < 200; ++i) table.insert({std::to_string(i), "x"});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->write(std::vector{table.delivery()}));
  own->kill9();
  const auto lost = commit();
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().recovery, Recovery::reconnect) << lost.error().message;
  ASSERT_TRUE(own->restart().ok()) << own->log_tail();
  destination = open_destination(opened.epoch);
  EXPECT_EQ(opened.checkpoint.sequence.value, sequence);
  EXPECT_THAT(rows("select * from t"), IsEmpty());
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select count(*) from t"), ElementsAre("200"));
}

TEST_P(MysqlDurability, kills_while_commits_stream_leave_rows_and_checkpoint_that_agree) {
  constexpr int kKills = 5;
  std::uint64_t unknown = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const auto until = sequence + 20 + static_cast<std::uint64_t>(kill) * 7;
    std::atomic<std::uint64_t> reached{0};
    std::thread killer([&] {
      while (reached < until) std::this_thread::yield();
      own->kill9();
    });
    for (;;) {
      table.restart();
      table.insert({std::to_string(sequence + 1), "x"});
      const auto written = write({table.delivery({.window = sequence + 1})});
      if (!written.ok()) {
        EXPECT_EQ(written.error().recovery, Recovery::reconnect) << written.error().message;
        unknown += written.error().code == Error::Code::unknown_outcome ? 1 : 0;
        break;
      }
      reached = sequence;
    }
    killer.join();
    ASSERT_TRUE(own->restart().ok()) << own->log_tail();
    destination = open_destination(opened.epoch);
    const auto there = opened.checkpoint.sequence.value;
    EXPECT_TRUE(there == sequence || there == sequence + 1) << there << " after " << sequence;
    sequence = there;
    EXPECT_THAT(rows("select coalesce(max(id), 0), count(*) from t"),
                ElementsAre(fmt::format("{}|{}", there, there - 1)));
  }
  fmt::print("{} kills, {} of them with an unknown outcome\n", kKills, unknown);
}

TEST_P(MysqlDurability, a_session_that_was_ended_in_the_middle_of_a_write_asks_for_a_new_one) {
  ASSERT_TRUE(destination->begin().ok());
  execute(fmt::format("kill {}",
                      rows("select is_used_lock(concat('maia.', left(sha2(database(), 256), 40)))")[0]));
  table.insert({"1", "x"});
  const auto lost = destination->write(std::vector{table.delivery()});
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().recovery, Recovery::reconnect) << lost.error().message;
  destination->rollback();
}

TEST_P(MysqlDurability, the_older_run_is_ended_so_that_its_locks_hold_nobody_up) {
  table.insert({"1", "old"});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->write(std::vector{table.delivery()}));
  auto older = std::move(destination);
  destination = open_destination();
  table.restart();
  table.insert({"1", "new"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from t"), ElementsAre("1|new"));
}

TEST_P(MysqlDurability, a_table_is_written_with_just_the_privileges_that_check_asks_for) {
  execute("create user least@'127.0.0.1' identified by 'secret'; create database maia_x");
  auto few = config();
  few.connection.user = "least";
  few.connection.password = Secret("secret");
  MysqlDestination probe(few);
  const auto asked = probe.check();
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  int grants = 0;
  for (const auto& finding : *asked) {
    if (!finding.fix.starts_with("GRANT")) continue;
    EXPECT_THAT(finding.fix, ::testing::Not(HasSubstr("ALL")));
    execute(finding.fix);
    ++grants;
  }
  EXPECT_EQ(grants, 2);
  execute("drop database maia; create database maia");
  const auto content = probe.check();
  ASSERT_TRUE(content.ok());
  for (const auto& finding : *content) EXPECT_NE(finding.level, Finding::Level::error) << finding.what;
  destination = std::make_unique<MysqlDestination>(few);
  const auto again = destination->open("least");
  ASSERT_TRUE(again.ok()) << again.error().message;
  sequence = 0;
  TestTable mine({"", "mine"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0});
  prepare(mine);
  for (int i = 0; i < 100; ++i) mine.insert({std::to_string(i), "x"});
  EXPECT_OK(write({mine.delivery()}));
  mine.restart();
  mine.update({"200", kSame}, {"1", kSame});
  for (int i = 10; i < 100; ++i) mine.remove({std::to_string(i), kSame});
  EXPECT_OK(write({mine.delivery({.window = 2})}));
  TestTable after({"", "renamed"}, {column_of("id", Type::of(TypeId::int32)), column_of("w", Type::text())},
                  {0}, 2);
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(
      destination->alter(mine.target, after.target,
                         {.before = mine.target.schema,
                          .after = after.target.schema,
                          .columns = {{.kind = ColumnChange::Kind::rename, .column = "w", .old_name = "v"}},
                          .ordinal = 9}));
  EXPECT_OK(commit());
  EXPECT_OK(destination->begin());
  EXPECT_OK(destination->begin_staging(after.target));
  const auto reconciled = destination->reconcile(after.target, {});
  EXPECT_TRUE(reconciled.ok());
  EXPECT_OK(commit());
  EXPECT_OK(destination->drop("least"));
}

TEST_P(MysqlDurability, a_user_without_privileges_is_told_what_to_do) {
  execute("create user nobody@'127.0.0.1'");
  auto none = config();
  none.connection.user = "nobody";
  execute("drop database maia");
  MysqlDestination refused(none);
  const auto opened_by_nobody = refused.open("p");
  ASSERT_FALSE(opened_by_nobody.ok());
  EXPECT_EQ(opened_by_nobody.error().code, Error::Code::check_failed);
  EXPECT_THAT(opened_by_nobody.error().hint, HasSubstr("maia check"));
}

class MysqlHalfMade : public MysqlDestinationTest {};
INSTANTIATE_TEST_SUITE_P(Products, MysqlHalfMade, both_products(), product_name);

TEST_P(MysqlHalfMade, tables_of_a_run_that_died_before_its_commit_are_made_anew_and_no_others) {
  const auto table = [](Type type) {
    return TestTable({"", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", std::move(type))},
                     {0});
  };
  const auto refused = [&](const TestTable& as) {
    EXPECT_OK(destination->begin());
    const auto prepared = destination->prepare(as.target);
    destination->rollback();
    return prepared.ok() ? "" : prepared.error().message;
  };
  const auto die = [&] { destination = open_destination(); };
  // The session ends with its transaction open.
  EXPECT_OK(destination->begin());
  EXPECT_OK(destination->prepare(table(Type::of(TypeId::int16)).target));
  die();
  prepare(table(Type::of(TypeId::date)));
  EXPECT_THAT(rows("select data_type from information_schema.columns where table_schema = database() and "
                   "column_name = 'v'"),
              ElementsAre("date"));
  die();
  EXPECT_THAT(refused(table(Type::text())), HasSubstr("does not fit"));
  // What somebody else has put in its place is theirs.
  execute("drop table t");
  EXPECT_OK(destination->begin());
  EXPECT_OK(destination->prepare(table(Type::of(TypeId::date)).target));
  execute("drop table t; create table t (id int primary key, v date)");
  die();
  EXPECT_THAT(refused(table(Type::text())), HasSubstr("does not fit"));
}

}  // namespace
}  // namespace maia::mysql
