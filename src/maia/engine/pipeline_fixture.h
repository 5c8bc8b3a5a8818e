// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of whole pipelines share: a random workload on a database in memory, and a pipeline from it
// into a store in memory.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "maia/base/disk.h"
#include "maia/engine/pipeline_run.h"
#include "maia/journal/local_journal.h"
#include "maia/testing/memory_dead_letters.h"
#include "maia/testing/memory_destination.h"
#include "maia/testing/memory_source.h"
#include "maia/testing/temporary_directory.h"

namespace maia::engine {

using testing::Faults;
using testing::MemoryDatabase;
using testing::MemoryStore;

inline constexpr std::size_t kTables = 2;

class Quiet final : public Observer {
 public:
  void event(Level, std::string_view, const Fields&) override {}
};

inline std::vector<MemoryDatabase::Change> random_transaction(std::mt19937& random,
                                                              const MemoryDatabase& database) {
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
  explicit Fixture(std::uint32_t seed, std::size_t tables = kTables) : database(tables), random(seed) {}

  PipelineRun::Parts parts(Faults& faults) {
    return parts(faults,
                 LocalJournal::open(system_disk(), {.directory = directory.path() / "journal"}).value());
  }
  PipelineRun::Parts parts(Faults& faults, std::unique_ptr<Journal> journal) {
    PipelineRun::Parts parts;
    parts.options.name = "memory";
    parts.options.idle_checkpoint = std::chrono::milliseconds(1);
    parts.source = std::make_unique<testing::MemorySource>(database, faults);
    parts.journal = std::move(journal);
    parts.dead_letters = &dead_letters;
    parts.observer = &quiet;
    parts.clock = &system_clock();
    add_destination(parts, "store", store, faults).options.max_rows = 10;
    return parts;
  }
  /// `to` and `faults` outlive the run.
  static PipelineRun::DestinationParts& add_destination(PipelineRun::Parts& parts, const std::string& name,
                                                        MemoryStore& to, Faults& faults) {
    auto& destination = parts.destinations.emplace_back();
    destination.options.name = name;
    destination.open = [&to, &faults]() -> Result<std::unique_ptr<Destination>> {
      return std::unique_ptr<Destination>(std::make_unique<testing::MemoryDestination>(to, faults));
    };
    return destination;
  }

  /// At every commit each table must be exactly where its fact says: at the checkpoint, or where it is held,
  /// or where it was copied from if that is later. Nothing later may have been confirmed.
  void check_every_commit() {
    store.on_commit = [this](const MemoryStore::State& state) {
      const auto checkpoint = number(state.checkpoint.position);
      for (const auto& [key, json] : state.checkpoint.facts) {
        if (!table_of_fact(key)) continue;
        const auto fact = table_fact_from_json(json).value();
        auto at = fact.held ? number(fact.held->position) : checkpoint;
        if (fact.state == TableState::removed) continue;
        EXPECT_LE(database.confirmed(), at);
        if (!fact.copied) continue;
        EXPECT_TRUE(state.finished.contains(to_string(fact.target->name)));
        if (fact.skip_until) at = std::max(at, number(*fact.skip_until));
        const auto table = static_cast<std::size_t>(std::stoull(fact.source->id));
        EXPECT_EQ(state.tables.at(to_string(fact.target->name)), database.rows(table, at))
            << to_string(fact.source->name) << " is " << to_string(fact.state) << " at " << at;
        ++checked;
      }
    };
  }
  static std::size_t number(const Position& position) {
    return position.empty() ? 0 : static_cast<std::size_t>(std::stoull(position.token));
  }
  void expect_equal() {
    for (std::size_t table = 0; table < kTables; ++table) {
      EXPECT_EQ(store.read().tables.at(fmt::format("m.t{}", table)), database.rows(table, database.size()));
    }
  }
  void work(int transactions) {
    for (int i = 0; i < transactions; ++i) database.commit(random_transaction(random, database));
  }

  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  MemoryDatabase database;
  MemoryStore store;
  Quiet quiet;
  testing::MemoryDeadLetters dead_letters;
  std::mt19937 random;
  int checked = 0;
};

inline Error fault(std::mt19937& random, std::string_view step) {
  if (step == "answer") {
    return Error{Error::Code::unknown_outcome, Recovery::reconnect, "the answer to the commit was lost", ""};
  }
  const bool again = random() % 2 == 0;
  return Error{Error::Code::unavailable, again ? Recovery::retry : Recovery::reconnect, "injected", ""};
}

inline void run_to_the_end(PipelineRun::Parts parts) {
  PipelineRun run(std::move(parts));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  const auto end = run.source_end().value();
  const auto drained = run.drain_to(end, stop.get_token());
  ASSERT_TRUE(drained.ok()) << drained.error().message;
  stop.request_stop();
  const auto ended = run.wait(stop.get_token());
  ASSERT_TRUE(ended.ok()) << ended.error().message;
}
inline void run_to_the_end(Fixture& fixture, Faults& faults) { run_to_the_end(fixture.parts(faults)); }

}  // namespace maia::engine
