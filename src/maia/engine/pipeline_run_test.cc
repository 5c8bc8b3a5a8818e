// SPDX-License-Identifier: Apache-2.0
// The engine's own tasks between a source and a destination in memory, with faults at every kind of call.
#include "maia/engine/pipeline_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "maia/base/disk.h"
#include "maia/journal/local_journal.h"
#include "maia/testing/memory_destination.h"
#include "maia/testing/memory_source.h"
#include "maia/testing/temporary_directory.h"

namespace maia::engine {
namespace {

using testing::Faults;
using testing::MemoryDatabase;
using testing::MemoryStore;

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

std::vector<MemoryDatabase::Change> random_transaction(std::mt19937& random, const MemoryDatabase& database) {
  std::vector<MemoryDatabase::Change> changes;
  std::map<std::size_t, MemoryDatabase::Rows> now;
  for (std::size_t table = 0; table < kTables; ++table) now[table] = database.rows(table, database.size());
  for (std::size_t i = 0, n = 1 + random() % 6; i < n; ++i) {
    const std::size_t table = random() % kTables;
    auto& rows = now[table];
    const auto id = static_cast<std::int64_t>(random() % 40);
    const auto a = fmt::format("a{}", random() % 1000);
    if (!rows.contains(id)) {
      rows[id] = {a, "b" + a};
      changes.push_back({.table = table, .op = Op::insert, .id = id, .new_id = id, .a = a, .b = "b" + a});
    } else if (random() % 3 == 0) {
      rows.erase(id);
      changes.push_back({.table = table, .op = Op::remove, .id = id, .new_id = id, .a = {}, .b = {}});
    } else {
      auto to = static_cast<std::int64_t>(random() % 40);
      if (rows.contains(to)) to = id;
      const auto b = random() % 2 == 0 ? std::optional<std::string>() : std::optional(a + "new");
      const auto old = rows[id].second;
      rows.erase(id);
      rows[to] = {a, b.value_or(old)};
      changes.push_back({.table = table, .op = Op::update, .id = id, .new_id = to, .a = a, .b = b});
    }
  }
  return changes;
}

/// One pipeline over a database and a store that outlive it.
struct Fixture {
  explicit Fixture(std::uint32_t seed) : random(seed) {}

  PipelineRun::Parts parts(Faults& faults) {
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
    destination.options.max_rows = 10;
    destination.open = [this, &faults]() -> Result<std::unique_ptr<Destination>> {
      return std::unique_ptr<Destination>(std::make_unique<testing::MemoryDestination>(store, faults));
    };
    parts.destinations.push_back(std::move(destination));
    return parts;
  }

  /// At every commit once all tables are streaming the destination must equal the source as of its
  /// checkpoint, and nothing later may have been confirmed.
  void check_every_commit() {
    store.on_commit = [this](const MemoryStore::State& state) {
      const auto position = std::stoull(state.checkpoint.position.token);
      EXPECT_LE(database.confirmed(), position);
      for (const auto& [key, json] : state.checkpoint.facts) {
        if (table_fact_from_json(json).value().state != TableState::streaming) return;
      }
      if (state.checkpoint.facts.size() < kTables) return;
      for (std::size_t table = 0; table < kTables; ++table) {
        EXPECT_EQ(state.tables.at(fmt::format("m.t{}", table)), database.rows(table, position))
            << "at " << position;
      }
      ++checked;
    };
  }

  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  MemoryDatabase database{kTables};
  MemoryStore store;
  Quiet quiet;
  NoDeadLetters no_dead_letters;
  std::mt19937 random;
  int checked = 0;
};

Error fault(std::mt19937& random, std::string_view step) {
  if (step == "answer") {
    return Error{Error::Code::unknown_outcome, Recovery::reconnect, "the answer to the commit was lost", ""};
  }
  const bool again = random() % 2 == 0;
  return Error{Error::Code::unavailable, again ? Recovery::retry : Recovery::reconnect, "injected", ""};
}

void run_to_the_end(Fixture& fixture, Faults& faults) {
  PipelineRun run(fixture.parts(faults));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  const auto end = run.source_end().value();
  const auto drained = run.drain_to(end, stop.get_token());
  ASSERT_TRUE(drained.ok()) << drained.error().message;
  stop.request_stop();
  const auto ended = run.wait(stop.get_token());
  ASSERT_TRUE(ended.ok()) << ended.error().message;
}

TEST(PipelineRun, copies_what_is_there_and_follows_what_comes_while_calls_fail) {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Fixture fixture(seed);
    fixture.check_every_commit();
    for (int i = 0; i < 60; ++i)
      fixture.database.commit(random_transaction(fixture.random, fixture.database));
    std::mt19937 dice(seed * 7919);
    int left = 12;
    Faults faults([&](std::string_view step) -> std::optional<Error> {
      if (left == 0 || dice() % 15 != 0) return std::nullopt;
      --left;
      return fault(dice, step);
    });
    PipelineRun run(fixture.parts(faults));
    std::stop_source stop;
    const auto started = run.start(stop.get_token());
    ASSERT_TRUE(started.ok()) << started.error().message;
    for (int i = 0; i < 60; ++i) {
      fixture.database.commit(random_transaction(fixture.random, fixture.database));
      if (i % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const auto drained = run.drain_to(run.source_end().value(), stop.get_token());
    ASSERT_TRUE(drained.ok()) << drained.error().message;
    stop.request_stop();
    const auto ended = run.wait(stop.get_token());
    ASSERT_TRUE(ended.ok()) << ended.error().message;
    for (std::size_t table = 0; table < kTables; ++table) {
      EXPECT_EQ(fixture.store.read().tables.at(fmt::format("m.t{}", table)),
                fixture.database.rows(table, fixture.database.size()));
    }
    EXPECT_GT(fixture.checked, 0);
  }
}

TEST(PipelineRun, goes_on_from_the_checkpoint_with_and_without_its_journal) {
  Fixture fixture(99);
  fixture.check_every_commit();
  Faults none([](std::string_view) { return std::optional<Error>(); });
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 30; ++i)
      fixture.database.commit(random_transaction(fixture.random, fixture.database));
    run_to_the_end(fixture, none);
    EXPECT_EQ(fixture.store.read().tables.at("m.t0"), fixture.database.rows(0, fixture.database.size()));
    if (round % 2 == 1) std::filesystem::remove_all(fixture.directory.path() / "journal");
  }
}

TEST(PipelineRun, an_older_run_that_wakes_up_is_fenced_and_stops) {
  Fixture fixture(5);
  Faults none([](std::string_view) { return std::optional<Error>(); });
  fixture.database.commit(random_transaction(fixture.random, fixture.database));
  PipelineRun older(fixture.parts(none));
  std::stop_source stop;
  ASSERT_TRUE(older.start(stop.get_token()).ok());
  ASSERT_TRUE(older.drain_to(older.source_end().value(), stop.get_token()).ok());
  testing::MemoryDestination newer(fixture.store, none);
  ASSERT_TRUE(newer.open("memory").ok());
  const auto before = fixture.store.read();
  fixture.database.commit(random_transaction(fixture.random, fixture.database));
  const auto ended = older.wait(stop.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Error::Code::fenced);
  EXPECT_EQ(fixture.store.read().tables, before.tables);
}

TEST(PipelineRun,
     where_the_policy_is_to_stop_a_failure_for_good_stops_the_pipeline_and_names_the_destination) {
  Fixture fixture(6);
  Faults faults([](std::string_view step) -> std::optional<Error> {
    if (step != "write") return std::nullopt;
    return Error{Error::Code::data, Recovery::halt, "m.t0: value does not fit", "widen the column"};
  });
  fixture.database.commit({{.table = 0, .op = Op::insert, .id = 1, .new_id = 1, .a = "x", .b = "y"}});
  auto parts = fixture.parts(faults);
  parts.options.stop_on_row_failure = true;
  PipelineRun run(std::move(parts));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  const auto ended = run.wait(stop.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().message, "store: m.t0: m.t0: value does not fit");
  EXPECT_EQ(run.status().destinations.at(0).state, "failed");
  EXPECT_EQ(run.status().destinations.at(0).hint, "widen the column");
}

}  // namespace
}  // namespace maia::engine
