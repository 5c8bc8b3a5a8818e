// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

class SourceSlotTest : public SourceTest {
 protected:
  void start() {
    sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    open();
    begin();
    sql("INSERT INTO t VALUES (2)");
    catch_up();
    stream_.reset();
  }
  std::string slot() { return name_for_pipeline("p_" + database_); }
  Error refused() {
    const auto prepared = source_->prepare(replica_.position());
    EXPECT_FALSE(prepared.ok());
    return prepared.ok() ? Error{} : prepared.error();
  }
  void await_inactive() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (value("SELECT active FROM pg_replication_slots WHERE slot_name = '" + slot() + "'") == "t") {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
    }
  }
};

TEST_F(SourceSlotTest, a_slot_that_is_gone_is_lost_history) {
  start();
  await_inactive();
  sql("SELECT pg_drop_replication_slot('" + slot() + "')");
  const auto error = refused();
  EXPECT_EQ(error.code, Error::Code::lost_history);
  EXPECT_THAT(error.message, ::testing::HasSubstr(slot()));
  EXPECT_THAT(error.hint, ::testing::HasSubstr("maia drop"));
}

TEST_F(SourceSlotTest, a_slot_that_was_made_again_is_lost_history) {
  start();
  await_inactive();
  sql("SELECT pg_drop_replication_slot('" + slot() + "')");
  sql("INSERT INTO t VALUES (3)");
  sql("SELECT pg_create_logical_replication_slot('" + slot() + "', 'pgoutput')");
  const auto error = refused();
  EXPECT_EQ(error.code, Error::Code::lost_history);
  EXPECT_THAT(error.message, ::testing::HasSubstr("begins at"));
}

TEST_F(SourceSlotTest, a_slot_that_somebody_advanced_is_lost_history) {
  start();
  await_inactive();
  sql("INSERT INTO t VALUES (3)");
  sql("SELECT pg_replication_slot_advance('" + slot() + "', pg_current_wal_lsn())");
  EXPECT_EQ(refused().code, Error::Code::lost_history);
}

TEST_F(SourceSlotTest, a_position_of_another_system_is_lost_history) {
  start();
  auto place = must(LogPlace::parse(replica_.position()));
  place.system += 1;
  replica_.set_position(place.position());
  EXPECT_EQ(refused().code, Error::Code::lost_history);
  place.system -= 1;
  place.timeline += 1;
  replica_.set_position(place.position());
  EXPECT_EQ(refused().code, Error::Code::lost_history);
}

TEST_F(SourceSlotTest, a_slot_that_is_in_use_names_the_process) {
  start();
  follow(replica_.position());
  auto second = PostgresSource(config(), "p_" + database_);
  const auto prepared = second.prepare(replica_.position());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Error::Code::unavailable);
  EXPECT_EQ(prepared.error().recovery, Recovery::reconnect);
  const auto pid = value("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" + slot() + "'");
  EXPECT_THAT(prepared.error().message, ::testing::HasSubstr(pid));
}

TEST_F(SourceSlotTest, a_slot_of_another_plugin_is_refused) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  sql("SELECT pg_create_logical_replication_slot('other_" + database_ + "', 'test_decoding')");
  auto with = config();
  with.slot = "other_" + database_;
  with.publication = "p";
  sql("CREATE PUBLICATION p FOR TABLE t");
  open(with);
  const auto prepared = source_->prepare({});
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Error::Code::check_failed);
  EXPECT_THAT(prepared.error().message, ::testing::HasSubstr("test_decoding"));
}

TEST_F(SourceSlotTest, without_permission_to_create_the_statements_are_given) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  auto with = config();
  with.create_missing = false;
  open(with);
  auto prepared = source_->prepare({});
  ASSERT_FALSE(prepared.ok());
  EXPECT_THAT(prepared.error().hint, ::testing::StartsWith("CREATE PUBLICATION"));
  sql(prepared.error().hint);
  prepared = source_->prepare({});
  ASSERT_FALSE(prepared.ok());
  sql(prepared.error().hint);
  const auto made = must(source_->prepare({}));
  EXPECT_FALSE(made.created);
  // The slot was there before the snapshot, so the stream begins before it.
  snapshot_ = must(source_->snapshot());
  EXPECT_TRUE(source_->compare(made.from, snapshot_->position()) <= 0);
}

TEST_F(SourceSlotTest, drop_removes_exactly_what_was_made) {
  start();
  await_inactive();
  EXPECT_EQ(must(source_->drop()).size(), 3u);
  EXPECT_EQ(value("SELECT to_regnamespace('maia')"), "");
  EXPECT_EQ(value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"), "0");
  EXPECT_EQ(value("SELECT count(*) FROM pg_publication"), "0");
  EXPECT_TRUE(must(source_->drop()).empty());
}

TEST_F(SourceSlotTest, drop_leaves_a_publication_of_the_user) {
  sql("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION mine FOR ALL TABLES");
  auto with = config();
  with.publication = "mine";
  open(with);
  begin();
  stream_.reset();
  snapshot_.reset();
  await_inactive();
  EXPECT_EQ(must(source_->drop()),
            (std::vector<std::string>{"replication slot " + slot(), "heartbeat of " + slot()}));
  EXPECT_EQ(value("SELECT count(*) FROM pg_publication"), "1");
}

TEST_F(SourceSlotTest, a_table_that_is_selected_later_joins_the_publication) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  begin();
  catch_up();
  stream_.reset();
  sql("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)");
  must(source_->prepare(replica_.position()));
  snapshot_ = must(source_->snapshot());
  for (const auto& table : schemas()) {
    if (table->name.table == "u") read(table, must(snapshot_->plan(table, {})));
  }
  replica_.set_position(snapshot_->position());
  follow(snapshot_->position());
  sql("INSERT INTO u VALUES (2)");
  catch_up();
  EXPECT_EQ(replica_.tables().size(), 2u);
  expect_equal();
}

TEST_F(SourceSlotTest, a_restart_of_the_server_loses_and_repeats_nothing) {
  auto& own = use_own();
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat('p', 300) FROM "
      "generate_series(1, "
      "20000) i");
  open();
  const auto prepared = must(source_->prepare({}));
  replica_.set_position(prepared.from);
  snapshot_ = must(source_->snapshot());
  const auto table = schemas().at(0);
  auto plan = must(snapshot_->plan(table, {}));
  const auto reader = must(snapshot_->open_reader());
  const auto copy = [&](Batch batch) -> Status {
    replica_.copy(batch);
    return {};
  };
  must(reader->read(table, plan.chunks.at(0), copy, {}));
  must(own.kill9());
  must(own.restart());
  const auto broken = reader->read(table, plan.chunks.at(1), copy, {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().recovery, Recovery::reconnect);
  snapshot_.reset();
  snapshot_ = must(source_->snapshot());
  plan = must(snapshot_->plan(table, TablePlanProgress{plan.token, {plan.chunks.at(0).number}}));
  EXPECT_TRUE(plan.converging);
  replica_.table(table).converging = true;
  read(table, plan);
  follow(prepared.from);
  sql("UPDATE t SET pad = 'x' WHERE id % 3 = 0");
  for (int round = 0; round < 3; ++round) {
    sql("INSERT INTO t SELECT i, 'r' FROM generate_series(" + std::to_string(100000 + round * 100) + ", " +
        std::to_string(100099 + round * 100) + ") i");
    must(own.kill9());
    must(own.restart());
    catch_up();
    replica_.table(table).converging = false;
  }
  expect_equal();
}

TEST_F(SourceSlotTest, a_slot_that_fell_too_far_behind_is_lost_history) {
  testing::PostgresServer::Options options;
  options.settings = {{"max_slot_wal_keep_size", "1MB"},
                      {"min_wal_size", "32MB"},
                      {"max_wal_size", "32MB"},
                      {"wal_keep_size", "0"}};
  auto& own = use_own(options);
  start();
  snapshot_.reset();
  for (int i = 0; i < 5; ++i) {
    sql("CREATE TABLE junk AS SELECT repeat('x', 1000) FROM generate_series(1, 10000); DROP TABLE junk");
    sql("SELECT pg_switch_wal()");
    must(own.execute("CHECKPOINT", database_));
  }
  const auto error = refused();
  EXPECT_EQ(error.code, Error::Code::lost_history);
}

}  // namespace
}  // namespace maia::postgres
