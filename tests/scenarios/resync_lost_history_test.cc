// SPDX-License-Identifier: Apache-2.0
// on_lost_history: resync. What the source can no longer tell is found by comparing the tables: afterwards
// they are equal, and rows that were right were not written.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;

class ResyncLostHistory : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    source = start_server();
    if (GetParam() == "postgres") destination = start_server();
    to_source(
        "create table t (id int primary key, v text not null); create table u (id int primary key);"
        "insert into t select i, 'v' || i from generate_series(1, 1000) i; insert into u values (1)");
    const auto at = destination ? "url: " + destination->uri() : "path: '{}/lake.duckdb'";
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [t, u]\n", source->uri()),
                             fmt::format("type: {}\n{}\n", GetParam(), at), "on_lost_history: resync\n");
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
    catch_up();
  }
  static std::unique_ptr<testing::PostgresServer> start_server() {
    auto server = testing::PostgresServer::start();
    EXPECT_TRUE(server.ok()) << server.error().message;
    return std::move(*server);
  }
  void to_source(const std::string& sql) {
    const auto done = source->execute(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << done.error().message;
  }
  void catch_up() {
    const auto done = mirror->catch_up();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void expect_equal() { expect_equal(destination != nullptr); }
  void expect_equal(bool in_postgres) {
    for (const std::string table : {"t", "u"}) {
      auto left = testing::compared_postgres(source->uri());
      auto right = in_postgres ? testing::compared_postgres(destination->uri())
                               : testing::compared_duckdb(mirror->directory() / "lake.duckdb");
      ASSERT_TRUE(left.ok() && right.ok());
      const auto compared = testing::compare(**left, **right, {{"public", table}, {"public", table}, {}});
      ASSERT_TRUE(compared.ok()) << compared.error().message;
      EXPECT_TRUE(compared->equal()) << compared->report();
    }
  }
  void keep_cold_copy() {
    const auto data = source->data_directory().string();
    ASSERT_TRUE(source->stop().ok());
    ASSERT_TRUE(testing::ChildProcess::run({"cp", "-a", data, data + ".copy"}).ok());
    ASSERT_TRUE(source->restart().ok());
  }
  void restore_cold_copy() {
    const auto data = source->data_directory().string();
    ASSERT_TRUE(source->stop().ok());
    ASSERT_TRUE(testing::ChildProcess::run({"rm", "-r", data}).ok());
    ASSERT_TRUE(testing::ChildProcess::run({"mv", data + ".copy", data}).ok());
    ASSERT_TRUE(source->restart().ok());
  }
  /// The transactions that wrote the rows that are at the destination; it tells only where it is PostgreSQL.
  std::string writers() {
    if (!destination) return {};
    const auto rows = destination->query(
        "select string_agg(id || ':' || xmin, ' ' order by id) from t "
        "where id between 10 and 1000");
    return rows.ok() ? rows->at(0).at(0).value_or("none") : rows.error().message;
  }
  /// Of t: what is found after one row more, one less and one other than the destination has.
  void expect_compared(const std::string& reason) {
    ASSERT_TRUE(mirror->start().ok());
    const auto compared =
        mirror->await({"status", "--json", "--state", mirror->state()}, "\"resync_removed\":1");
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    const auto status = mirror->command({"status", "--json", "--state", mirror->state()});
    ASSERT_TRUE(status.ok());
    EXPECT_THAT(*status, HasSubstr("\"resync_inserted\":1,"));
    EXPECT_THAT(*status, HasSubstr("\"resync_updated\":1,"));
    EXPECT_THAT(*status, HasSubstr("\"reason\":\"" + reason + "\""));
    EXPECT_THAT(read_file(mirror->directory() / "log"), HasSubstr("history was lost"));
    EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  }
  void expect_goes_on() {
    to_source(
        "insert into t values (20001, 'after'); update t set v = 'after' where id = 1000; "
        "insert into u values (20001)");
    catch_up();
    expect_equal();
  }

  std::unique_ptr<testing::PostgresServer> source, destination;
  std::optional<Mirror> mirror;
};

TEST_P(ResyncLostHistory, a_slot_that_was_dropped_while_nobody_read_it) {
  const auto before = writers();
  to_source("select pg_drop_replication_slot(slot_name) from pg_replication_slots");
  to_source(
      "insert into t values (10001, 'new'); delete from t where id = 1; "
      "update t set v = 'other' where id = 2");
  expect_compared("slot_dropped");
  expect_equal();
  EXPECT_EQ(writers(), before) << "rows that were right were written again";
  expect_goes_on();
}

TEST_P(ResyncLostHistory, a_source_that_was_restored_from_a_cold_copy) {
  keep_cold_copy();
  to_source(
      "insert into t values (10001, 'new'); delete from t where id = 1; "
      "update t set v = 'other' where id = 2");
  catch_up();
  const auto before = writers();
  restore_cold_copy();
  expect_compared("source_restored");
  expect_equal();
  EXPECT_EQ(writers(), before) << "rows that were right were written again";
  expect_goes_on();
}

TEST_P(ResyncLostHistory, a_slot_that_is_dropped_under_a_running_pipeline) {
  ASSERT_TRUE(mirror->start().ok());
  ASSERT_TRUE(mirror->await({"status", "--state", mirror->state()}, "streaming").ok());
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    to_source("select pg_terminate_backend(active_pid) from pg_replication_slots where active");
  } while (!source->execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots").ok());
  to_source("insert into t values (10001, 'new')");
  const auto noticed = mirror->await({"status", "--json", "--state", mirror->state()},
                                     "\"lost_history\":[{\"reason\":\"slot_dropped\",\"count\":1}]");
  ASSERT_TRUE(noticed.ok()) << noticed.error().message;
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  expect_goes_on();
}

/// Into two destinations, of which a kill may leave one at its place in the history that is lost.
class ResyncUnderKills : public ResyncLostHistory {};

TEST_P(ResyncUnderKills, no_destination_stays_behind_in_what_was_lost) {
  destination = start_server();
  auto made = Mirror::with_file(fmt::format(
      "name: both\nsource: {{type: postgres, url: '{}', tables: [t, u]}}\non_lost_history: resync\n"
      "destinations:\n  lake: {{type: duckdb, path: '{{}}/lake.duckdb'}}\n"
      "  twin: {{type: postgres, url: '{}'}}\n",
      source->uri(), destination->uri()));
  ASSERT_TRUE(made.ok()) << made.error().message;
  mirror.emplace(std::move(*made));
  catch_up();
  keep_cold_copy();
  to_source(
      "insert into t values (10001, 'new'); delete from t where id = 1; "
      "update t set v = 'other' where id = 2");
  catch_up();
  restore_cold_copy();
  std::mt19937 random(20261125);
  for (int kill = 0; kill < (long_run() ? 60 : 8); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random() % 900));
    mirror->kill9();
    to_source(fmt::format("insert into t values ({}, 'meanwhile')", 30'000 + kill));
  }
  to_source("delete from t where id = 3; update t set v = 'after' where id = 1000");
  catch_up();
  expect_equal(true);
  expect_equal(false);
}

INSTANTIATE_TEST_SUITE_P(Into, ResyncUnderKills, ::testing::Values("postgres"),
                         [](const auto& type) { return type.param; });
INSTANTIATE_TEST_SUITE_P(Into, ResyncLostHistory, ::testing::Values("postgres", "duckdb"),
                         [](const auto& type) { return type.param; });

}  // namespace
}  // namespace maia::tests
