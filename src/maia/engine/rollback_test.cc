// SPDX-License-Identifier: Apache-2.0
// Going back with the engine's own tasks, between a source and a destination in memory. The destination is
// strict: it accepts no change of a row that is not there, nor an insert of one that is.
#include "maia/engine/pipeline_fixture.h"

namespace maia::engine {
namespace {

class RollbackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    run.emplace(fixture.parts(faults));
    ASSERT_TRUE(run->start(stop.get_token()).ok());
    drain();
  }
  void TearDown() override {
    stop.request_stop();
    EXPECT_TRUE(run->wait(stop.get_token()).ok());
  }
  void drain() {
    const auto end = run->source_end();
    ASSERT_TRUE(end.ok());
    const auto drained = run->drain_to(*end, stop.get_token());
    ASSERT_TRUE(drained.ok()) << drained.error().message;
  }
  void change() { fixture.work(1); }
  void expect_at(std::size_t transactions) {
    const auto state = fixture.store.read();
    for (std::size_t table = 0; table < kTables; ++table) {
      EXPECT_EQ(state.tables.at(fmt::format("m.t{}", table)), database.rows(table, transactions))
          << "table " << table << " at " << transactions;
    }
  }

  Fixture fixture{7};
  MemoryDatabase& database = fixture.database;
  Faults faults{[](std::string_view) { return std::optional<Error>(); }};
  std::stop_source stop;
  std::optional<PipelineRun> run;
};

TEST_F(RollbackTest, goes_back_to_any_place_and_forward_again_when_the_tables_are_resumed) {
  for (int i = 0; i < 30; ++i) change();
  drain();
  for (const std::size_t place : {25U, 12U, 1U}) {
    const auto done = run->rollback({.time = {}, .position = std::to_string(place)}, "", "", {.apply = true});
    ASSERT_TRUE(done.ok()) << done.error().message;
    ASSERT_EQ(done->size(), 1u);
    EXPECT_EQ(done->front().tables.size(), kTables);
    expect_at(place);
    change();
    drain();
    expect_at(place);
    ASSERT_TRUE(run->resume("", "*").ok());
    drain();
    expect_at(database.size());
  }
}

TEST_F(RollbackTest, the_plan_changes_nothing_and_counts_what_would_be_done) {
  database.commit({{.table = 0, .op = Op::insert, .id = 1, .new_id = 1, .a = "x", .b = "x"},
                   {.table = 0, .op = Op::insert, .id = 2, .new_id = 2, .a = "x", .b = "x"}});
  database.commit({{.table = 0, .op = Op::update, .id = 1, .new_id = 1, .a = "y", .b = {}},
                   {.table = 0, .op = Op::remove, .id = 2, .new_id = 2, .a = {}, .b = {}},
                   {.table = 0, .op = Op::insert, .id = 3, .new_id = 3, .a = "z", .b = "z"}});
  drain();
  const auto plan = run->rollback({.time = {}, .position = "1"}, "store", "t0", {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->front().tables.size(), 1u);
  const auto& counts = plan->front().tables[0].counts;
  EXPECT_EQ(counts.updates, 1u);
  EXPECT_EQ(counts.inserts, 1u);
  EXPECT_EQ(counts.deletes, 1u);
  EXPECT_EQ(counts.lost, 0u);
  expect_at(2);
}

TEST_F(RollbackTest, a_place_that_the_journal_has_and_the_destination_has_not_is_refused) {
  change();
  drain();
  ASSERT_TRUE(run->pause("", "").ok());
  const auto here = database.size();
  change();
  while (run->status().captured != std::to_string(database.size())) std::this_thread::yield();
  const auto done =
      run->rollback({.time = {}, .position = std::to_string(database.size())}, "", "t0", {.apply = true});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "m.t0 cannot be taken back: it has not got there yet");
  expect_at(here);
  ASSERT_TRUE(run->resume("", "").ok());
  drain();
  expect_at(database.size());
}

TEST_F(RollbackTest, a_place_that_was_not_reached_and_a_table_that_is_not_there_are_refused) {
  change();
  drain();
  EXPECT_FALSE(run->rollback({.time = {}, .position = "77"}, "", "", {.apply = true}).ok());
  EXPECT_FALSE(run->rollback({.time = {}, .position = "1"}, "", "nothing", {.apply = true}).ok());
  EXPECT_FALSE(run->rollback({.time = {}, .position = "1"}, "nowhere", "", {.apply = true}).ok());
  expect_at(1);
}

}  // namespace
}  // namespace maia::engine
