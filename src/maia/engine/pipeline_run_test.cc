// SPDX-License-Identifier: Apache-2.0
// The engine's own tasks between a source and a destination in memory, with faults at every kind of call.
#include "maia/engine/pipeline_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "maia/engine/pipeline_fixture.h"

namespace maia::engine {
namespace {

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

TEST(PipelineRun, a_destination_that_goes_away_while_the_pipeline_starts_is_opened_later) {
  Fixture fixture(7);
  MemoryStore other;
  Faults none([](std::string_view) { return std::optional<Error>(); });
  int opened = 0;
  Faults goes_away([&](std::string_view step) -> std::optional<Error> {
    if (step != "open" || ++opened != 2) return std::nullopt;
    return Error{Error::Code::unavailable, Recovery::reconnect, "gone", ""};
  });
  int commits = 0;
  Faults fails_once([&](std::string_view step) -> std::optional<Error> {
    if (step != "commit" || ++commits != 1) return std::nullopt;
    return Error{Error::Code::unavailable, Recovery::retry, "busy", ""};
  });
  const auto run = [&](Faults& first, Faults& second) {
    auto parts = fixture.parts(first);
    Fixture::add_destination(parts, "other", other, second);
    run_to_the_end(std::move(parts));
    fixture.expect_equal();
    EXPECT_EQ(other.read().tables, fixture.store.read().tables);
  };
  fixture.work(5);
  run(none, none);
  // Without its journal the pipeline commits new places while it starts. The second destination cannot, so
  // all are opened once more, and now the first one is away.
  std::filesystem::remove_all(fixture.directory.path() / "journal");
  fixture.work(5);
  run(goes_away, fails_once);
  EXPECT_EQ(opened, 3);
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

TEST(PipelineRun, an_older_run_that_wakes_up_takes_no_destination_from_the_newer_that_it_never_had) {
  Fixture fixture(7);
  MemoryStore other;
  Faults none([](std::string_view) { return std::optional<Error>(); });
  std::atomic<bool> away{true};
  Faults goes_away([&](std::string_view step) -> std::optional<Error> {
    if (step != "open" || !away) return std::nullopt;
    return Error{Error::Code::unavailable, Recovery::reconnect, "gone", ""};
  });
  fixture.work(5);
  run_to_the_end(fixture, none);
  auto parts = fixture.parts(none);
  Fixture::add_destination(parts, "other", other, goes_away);
  PipelineRun older(std::move(parts));
  std::stop_source stop;
  ASSERT_TRUE(older.start(stop.get_token()).ok());
  testing::MemoryDestination newer(fixture.store, none), newer_other(other, none);
  ASSERT_TRUE(newer.open("memory").ok());
  const auto epoch = newer_other.open("memory").value().epoch;
  away = false;
  const auto ended = older.wait(stop.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Error::Code::fenced);
  EXPECT_TRUE(newer_other.open("memory", epoch).ok());
}

TEST(PipelineRun, a_row_that_a_fenced_run_put_aside_comes_all_the_same) {
  Fixture fixture(8);
  std::atomic<bool> changed_by_another{false};
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    if (!changed_by_another || step != "row m.t0 2") return std::nullopt;
    return Error{Error::Code::data, Recovery::halt, "the row to update is not there", ""};
  });
  {
    PipelineRun older(fixture.parts(faults));
    std::stop_source stop;
    ASSERT_TRUE(older.start(stop.get_token()).ok());
    ASSERT_TRUE(older.drain_to(older.source_end().value(), stop.get_token()).ok());
    testing::MemoryDestination newer(fixture.store, faults);
    ASSERT_TRUE(newer.open("memory").ok());
    changed_by_another = true;
    fixture.database.commit({{.table = 0, .op = Op::insert, .id = 1, .new_id = 1, .a = "x", .b = "y"},
                             {.table = 0, .op = Op::insert, .id = 2, .new_id = 2, .a = "x", .b = "y"}});
    const auto ended = older.wait(stop.get_token());
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().code, Error::Code::fenced);
  }
  EXPECT_EQ(fixture.dead_letters.waiting("store", false).value().size(), 1u);
  changed_by_another = false;
  fixture.database.commit({{.table = 0, .op = Op::remove, .id = 2, .new_id = 2, .a = {}, .b = {}}});
  run_to_the_end(fixture, faults);
  EXPECT_TRUE(fixture.dead_letters.waiting("store", false).value().empty());
  fixture.expect_equal();
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
  parts.options.row_errors.write = RowErrorPolicy::stop;
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
