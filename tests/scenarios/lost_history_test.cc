// SPDX-License-Identifier: Apache-2.0
// History that is lost is a named stop of the program; state that is lost is not, while the destination's
// checkpoint and the source still have it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Condition>
bool await(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

class LostHistory : public ::testing::Test {
 protected:
  void SetUp() override {
    auto a = testing::PostgresServer::start();
    auto b = testing::PostgresServer::start();
    ASSERT_TRUE(a.ok() && b.ok());
    source = *std::move(a);
    destination = *std::move(b);
    to(*source,
       "create table t (id int primary key, v text); insert into t select i, 'v' || i from "
       "generate_series(1, 1000) i");
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [t]\n", source->uri()),
                             fmt::format("type: postgres\nurl: {}\n", destination->uri()));
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror = std::make_unique<Mirror>(*std::move(made));
    catch_up();
  }
  void to(testing::PostgresServer& server, const std::string& sql) {
    const auto done = server.execute(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << done.error().message;
  }
  std::string at(testing::PostgresServer& server, const std::string& sql) {
    const auto rows = server.query(sql);
    return rows.ok() && !rows->empty() && (*rows)[0][0] ? *(*rows)[0][0] : "";
  }
  void change(int id) { to(*source, fmt::format("insert into t values ({}, 'later')", 10'000 + id)); }
  void catch_up() {
    const auto done = mirror->catch_up();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void expect_equal() {
    const auto digest = "select count(*) || ' ' || md5(string_agg(id || '=' || v, ',' order by id)) from t";
    EXPECT_EQ(at(*destination, digest), at(*source, digest));
  }
  /// The program ends with 1, and says so.
  std::string refused() {
    const auto said =
        mirror->command({"run", mirror->file(), "--state", mirror->state(), "--until-caught-up"}, 1);
    EXPECT_TRUE(said.ok()) << said.error().message;
    return said.ok() ? *said : "";
  }
  /// Who is streaming, started now.
  void start_streaming() {
    fs::remove(mirror->directory() / "log");
    ASSERT_TRUE(mirror->start().ok());
    ASSERT_TRUE(await(
        [&] { return !mirror->running() || mirror->log_tail().find("streaming") != std::string::npos; }));
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
  }

  std::unique_ptr<testing::PostgresServer> source, destination;
  std::unique_ptr<Mirror> mirror;
};

constexpr auto kDropSlot = "select pg_drop_replication_slot(slot_name) from pg_replication_slots";

TEST_F(LostHistory, a_slot_that_was_dropped_ends_the_program_with_both_ways_on) {
  to(*source, kDropSlot);
  change(1);
  const auto said = refused();
  EXPECT_THAT(said, HasSubstr("replication slot maia_mirror does not exist any more"));
  EXPECT_THAT(said, HasSubstr("either copy the tables again"));
  EXPECT_THAT(said, HasSubstr("correct `slot` or `host`"));
  EXPECT_EQ(at(*destination, "select count(*) from t"), "1000");
}

TEST_F(LostHistory, a_slot_that_is_dropped_under_a_running_pipeline_ends_it) {
  start_streaming();
  ASSERT_TRUE(await([&] {
    to(*source, "select pg_terminate_backend(active_pid) from pg_replication_slots where active");
    return source->execute(kDropSlot).ok();
  }));
  ASSERT_TRUE(await([&] { return !mirror->running(); })) << mirror->log_tail();
  EXPECT_THAT(mirror->log_tail(), HasSubstr("does not exist any more"));
}

TEST_F(LostHistory, a_state_directory_that_was_deleted_is_no_loss) {
  change(1);
  fs::remove_all(mirror->state());
  change(2);
  catch_up();
  expect_equal();
}

TEST_F(LostHistory, an_older_copy_of_the_state_directory_is_no_loss) {
  fs::copy(mirror->state(), mirror->directory() / "copy", fs::copy_options::recursive);
  change(1);
  catch_up();
  fs::remove_all(mirror->state());
  fs::rename(mirror->directory() / "copy", mirror->state());
  change(2);
  catch_up();
  expect_equal();
}

TEST_F(LostHistory, the_journal_of_another_pipeline_is_found_and_not_read) {
  // Of the same tables into another place, so that its sequences are much the same.
  auto other = Mirror::make(
      fmt::format("type: postgres\nurl: {}\ntables: [t]\nslot: other\npublication: other\n", source->uri()),
      "type: file\npath: {}/out.jsonl\n");
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(other->catch_up().ok());
  for (int i = 1; i <= 5; ++i) {
    change(i);
    catch_up();
    const auto done = other->catch_up();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  change(6);
  ASSERT_TRUE(other->catch_up().ok());
  fs::remove_all(mirror->state());
  fs::copy(other->state(), mirror->state(), fs::copy_options::recursive);
  change(7);
  catch_up();
  expect_equal();
}

TEST_F(LostHistory, a_destination_that_was_restored_goes_on_exactly_while_the_journal_has_the_rest) {
  // The checkpoint and the rows as they were together.
  to(*destination,
     "create schema backup; create table backup.t as table t; create table backup.checkpoint as "
     "table maia.checkpoint; create table backup.fact as table maia.fact");
  change(1);
  catch_up();
  change(2);
  catch_up();
  const auto restore =
      "begin; delete from t; insert into t table backup.t; delete from maia.fact; update maia.checkpoint c "
      "set "
      "sequence = b.sequence, position = b.position, epoch = b.epoch, seal = b.seal from backup.checkpoint "
      "b; "
      "insert into maia.fact table backup.fact; commit";
  to(*destination, restore);
  catch_up();
  expect_equal();
  // Without the journal, and after the source let go of it, it is lost.
  to(*destination, restore);
  fs::remove_all(mirror->state());
  const auto said = refused();
  EXPECT_THAT(said, HasSubstr("replication slot maia_mirror begins at"));
  EXPECT_THAT(said, HasSubstr("the destination went back"));
}

TEST_F(LostHistory, a_checkpoint_that_was_edited_is_named) {
  change(1);
  catch_up();
  to(*destination, "update maia.checkpoint set sequence = sequence - 1");
  EXPECT_THAT(refused(), HasSubstr("the checkpoint of pipeline mirror was changed by somebody else"));
  to(*destination, "update maia.checkpoint set sequence = sequence + 1");
  change(2);
  catch_up();
  to(*destination, "delete from maia.fact");
  EXPECT_THAT(refused(), HasSubstr("the checkpoint of pipeline mirror was changed by somebody else"));
}

TEST_F(LostHistory, a_checkpoint_that_is_edited_under_a_running_pipeline_is_named) {
  start_streaming();
  to(*destination, "update maia.checkpoint set sequence = sequence + 1000");
  change(1);
  ASSERT_TRUE(await([&] { return !mirror->running(); })) << mirror->log_tail();
  EXPECT_THAT(mirror->log_tail(), HasSubstr("somebody has changed the checkpoint of pipeline mirror"));
  EXPECT_EQ(at(*destination, "select count(*) from t"), "1000");
}

}  // namespace
}  // namespace maia::tests
