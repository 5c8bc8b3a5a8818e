// SPDX-License-Identifier: Apache-2.0
// Going back with the engine's own tasks, between a source and a destination in memory. The destination is
// strict: it accepts no change of a row that is not there, nor an insert of one that is.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "maia/base/disk.h"
#include "maia/engine/pipeline_run.h"
#include "maia/journal/local_journal.h"
#include "maia/testing/memory_destination.h"
#include "maia/testing/memory_source.h"
#include "maia/testing/temporary_directory.h"

namespace maia::engine {
namespace {

using testing::MemoryDatabase;

constexpr std::size_t kTables = 2;

class Quiet final : public Observer {
 public:
  void event(Level, std::string_view, const Fields&) override {}
};

class NoDeadLetters final : public DeadLetters {
 public:
  Status record(std::span<const DeadLetter>) override { return {}; }
  Result<std::vector<DeadLetter>> waiting(const std::string&, bool) override {
    return std::vector<DeadLetter>{};
  }
  Status overtake(const std::string&, std::span<const std::string>) override { return {}; }
  Status replayed(const std::string&, std::span<const std::string>) override { return {}; }
};

class RollbackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    PipelineRun::Parts parts;
    parts.options.name = "memory";
    parts.options.idle_checkpoint = std::chrono::milliseconds(1);
    parts.source = std::make_unique<testing::MemorySource>(database, faults);
    parts.journal = LocalJournal::open(system_disk(), {.directory = directory.path() / "journal"}).value();
    parts.dead_letters = &no_dead_letters;
    parts.observer = &quiet;
    parts.clock = &system_clock();
    PipelineRun::DestinationParts destination;
    destination.options.name = "store";
    destination.open = [this]() -> Result<std::unique_ptr<Destination>> {
      return std::unique_ptr<Destination>(std::make_unique<testing::MemoryDestination>(store, faults));
    };
    parts.destinations.push_back(std::move(destination));
    run.emplace(std::move(parts));
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
  /// One transaction: rows appear, change, get other keys and vanish.
  void change() {
    std::vector<MemoryDatabase::Change> changes;
    for (std::size_t table = 0; table < kTables; ++table) {
      auto rows = database.rows(table, database.size());
      for (int i = 0; i < 4; ++i) {
        const auto id = static_cast<std::int64_t>(random() % 12);
        const auto a = fmt::format("a{}", random() % 1000);
        if (!rows.contains(id)) {
          rows[id] = {a, a};
          changes.push_back({.table = table, .op = Op::insert, .id = id, .new_id = id, .a = a, .b = a});
        } else if (random() % 3 == 0) {
          rows.erase(id);
          changes.push_back({.table = table, .op = Op::remove, .id = id, .new_id = id, .a = {}, .b = {}});
        } else {
          auto to = static_cast<std::int64_t>(random() % 12);
          if (rows.contains(to)) to = id;
          const auto b = random() % 2 == 0 ? std::optional<std::string>() : std::optional(a);
          const auto old = rows[id].second;
          rows.erase(id);
          rows[to] = {a, b.value_or(old)};
          changes.push_back({.table = table, .op = Op::update, .id = id, .new_id = to, .a = a, .b = b});
        }
      }
    }
    database.commit(std::move(changes));
  }
  void expect_at(std::size_t transactions) {
    const auto state = store.read();
    for (std::size_t table = 0; table < kTables; ++table) {
      EXPECT_EQ(state.tables.at(fmt::format("m.t{}", table)), database.rows(table, transactions))
          << "table " << table << " at " << transactions;
    }
  }

  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  MemoryDatabase database{kTables};
  testing::MemoryStore store;
  testing::Faults faults{[](std::string_view) { return std::optional<Error>(); }};
  Quiet quiet;
  NoDeadLetters no_dead_letters;
  std::mt19937 random{7};
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
