// SPDX-License-Identifier: Apache-2.0
// The table as the unit of control: paused, quarantined, compared, added and removed while others stream. At
// every commit each table must be exactly where its fact says.
#include <gtest/gtest.h>

#include "maia/engine/pipeline_fixture.h"

namespace maia::engine {
namespace {

Faults no_faults() {
  return Faults([](std::string_view) { return std::optional<Error>(); });
}

/// A pipeline that runs until the object goes, or is drained.
class Running {
 public:
  explicit Running(PipelineRun::Parts parts) : run(std::move(parts)) {
    const auto started = run.start(stop_.get_token());
    EXPECT_TRUE(started.ok()) << started.error().message;
  }
  void drain() {
    const auto drained = run.drain_to(run.source_end().value(), stop_.get_token());
    EXPECT_TRUE(drained.ok()) << drained.error().message;
  }
  Status end() {
    stop_.request_stop();
    return run.wait(stop_.get_token());
  }
  TableStatus table(const std::string& id, std::size_t destination = 0) {
    return run.status().destinations.at(destination).tables.at(id);
  }
  void wait_for(const std::string& id, TableState state) {
    while (table(id).state != state) std::this_thread::yield();
  }

  PipelineRun run;

 private:
  std::stop_source stop_;
};

TEST(PipelineControl, a_paused_table_stays_where_it_is_over_a_restart_and_catches_up_when_resumed) {
  Fixture fixture(1);
  fixture.check_every_commit();
  auto none = no_faults();
  fixture.work(30);
  MemoryDatabase::Rows paused_rows;
  {
    Running running(fixture.parts(none));
    running.drain();
    const auto paused = running.run.pause("", "t0");
    ASSERT_TRUE(paused.ok()) << paused.error().message;
    EXPECT_EQ(*paused, "store: m.t0 is paused");
    paused_rows = fixture.store.read().tables.at("m.t0");
    fixture.work(30);
    running.drain();
    EXPECT_EQ(running.table("0").state, TableState::paused);
    EXPECT_TRUE(running.end().ok());
  }
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), paused_rows);
  EXPECT_EQ(fixture.store.read().tables.at("m.t1"), fixture.database.rows(1, fixture.database.size()));
  Running again(fixture.parts(none));
  fixture.work(30);
  again.drain();
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), paused_rows);
  ASSERT_TRUE(again.run.resume("", "m.t0").ok());
  again.drain();
  EXPECT_EQ(again.table("0").state, TableState::streaming);
  fixture.expect_equal();
  EXPECT_TRUE(again.end().ok());
}

TEST(PipelineControl, what_is_not_confirmed_is_what_a_paused_table_lacks_and_a_lost_journal_loses_nothing) {
  Fixture fixture(2);
  fixture.check_every_commit();
  auto none = no_faults();
  fixture.work(20);
  {
    Running running(fixture.parts(none));
    running.drain();
    ASSERT_TRUE(running.run.pause("", "t1").ok());
    fixture.work(20);
    running.drain();
    EXPECT_TRUE(running.end().ok());
  }
  EXPECT_LE(fixture.database.confirmed(), 20u);
  std::filesystem::remove_all(fixture.directory.path() / "journal");
  Running again(fixture.parts(none));
  ASSERT_TRUE(again.run.resume("", "t1").ok());
  fixture.work(20);
  again.drain();
  fixture.expect_equal();
  EXPECT_TRUE(again.end().ok());
}

TEST(PipelineControl, tables_that_are_held_at_different_places_when_the_journal_is_lost_lose_nothing) {
  Fixture fixture(3);
  fixture.check_every_commit();
  auto none = no_faults();
  fixture.work(20);
  {
    Running running(fixture.parts(none));
    running.drain();
    for (const auto* table : {"t0", "t1"}) {
      ASSERT_TRUE(running.run.pause("", table).ok());
      fixture.work(20);
      running.drain();
    }
    EXPECT_TRUE(running.end().ok());
  }
  // The new one begins where the first table is held: what comes first, the second one has already.
  std::filesystem::remove_all(fixture.directory.path() / "journal");
  Running again(fixture.parts(none));
  ASSERT_TRUE(again.run.resume("", "*").ok());
  again.drain();
  fixture.expect_equal();
  EXPECT_TRUE(again.end().ok());
}

/// Of whatever the table has to do with, not of one row, which would become a dead letter.
Error refused() {
  return {Error::Code::unsupported, Recovery::halt, "the table does not fit", "widen the column"};
}

TEST(PipelineControl, a_table_that_is_refused_is_quarantined_and_resume_after_mending_loses_nothing) {
  Fixture fixture(3);
  fixture.check_every_commit();
  std::atomic<bool> mended{false};
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    return step == "row m.t0 1000" && !mended ? std::optional(refused()) : std::nullopt;
  });
  fixture.work(20);
  Running running(fixture.parts(faults));
  running.drain();
  // In one transaction with the other table, so that only writing them apart tells whose fault it is.
  fixture.database.commit({{.table = 1, .op = Op::insert, .id = 999, .new_id = 999, .a = "x", .b = "y"},
                           {.table = 0, .op = Op::insert, .id = 1000, .new_id = 1000, .a = "x", .b = "y"}});
  fixture.work(30);
  running.drain();
  const auto failed = running.table("0");
  EXPECT_EQ(failed.state, TableState::quarantined);
  EXPECT_NE(failed.reason.find("the table does not fit"), std::string::npos);
  EXPECT_EQ(failed.hint, "widen the column");
  EXPECT_EQ(running.table("1").state, TableState::streaming);
  EXPECT_EQ(fixture.store.read().tables.at("m.t1"), fixture.database.rows(1, fixture.database.size()));

  // Resumed too early it is set aside again, and still nothing is lost.
  ASSERT_TRUE(running.run.resume("", "t0").ok());
  running.wait_for("0", TableState::quarantined);
  fixture.work(10);
  mended = true;
  ASSERT_TRUE(running.run.resume("", "t0").ok());
  running.drain();
  EXPECT_EQ(running.table("0").state, TableState::streaming);
  fixture.expect_equal();
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_table_that_cannot_be_copied_is_quarantined_and_the_others_are_copied) {
  Fixture fixture(4);
  fixture.check_every_commit();
  std::atomic<bool> mended{false};
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    return step == "row m.t1 7" && !mended ? std::optional(refused()) : std::nullopt;
  });
  fixture.work(20);
  if (!fixture.database.rows(1, 20).contains(7)) {
    fixture.database.commit({{.table = 1, .op = Op::insert, .id = 7, .new_id = 7, .a = "x", .b = "y"}});
  }
  Running running(fixture.parts(faults));
  running.drain();
  EXPECT_EQ(running.table("1").state, TableState::quarantined);
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), fixture.database.rows(0, fixture.database.size()));
  mended = true;
  fixture.database.commit({{.table = 1, .op = Op::remove, .id = 7, .new_id = 7, .a = {}, .b = {}}});
  ASSERT_TRUE(running.run.resume("", "t1").ok());
  running.drain();
  fixture.expect_equal();
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_resync_mends_what_somebody_damaged_and_nothing_else) {
  Fixture fixture(5);
  auto none = no_faults();
  fixture.database.commit({{.table = 0, .op = Op::insert, .id = 100, .new_id = 100, .a = "a", .b = "b"},
                           {.table = 0, .op = Op::insert, .id = 101, .new_id = 101, .a = "a", .b = "b"},
                           {.table = 0, .op = Op::insert, .id = 200, .new_id = 200, .a = "a", .b = "b"}});
  fixture.work(10);
  Running running(fixture.parts(none));
  running.drain();
  const auto damage = [](MemoryStore::State& state) {
    auto& rows = state.tables.at("m.t0");
    rows.at(100).first = "damaged";
    rows.erase(101);
    rows[150] = {"never", "there"};
    rows.at(200).first = "damaged too";
  };
  fixture.store.damage(damage);
  const auto part = running.run.resync("", "t0", "id >= 100 and id < 200");
  ASSERT_TRUE(part.ok()) << part.error().message;
  running.drain();
  auto expected = fixture.database.rows(0, fixture.database.size());
  expected.at(200).first = "damaged too";
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), expected);
  auto table = running.table("0");
  EXPECT_EQ(table.resync_inserted, 1u);
  EXPECT_EQ(table.resync_updated, 1u);
  EXPECT_EQ(table.resync_removed, 1u);

  ASSERT_TRUE(running.run.resync("", "t0", "").ok());
  running.drain();
  fixture.expect_equal();
  table = running.table("0");
  EXPECT_EQ(table.resync_inserted, 0u);
  EXPECT_EQ(table.resync_updated, 1u);
  EXPECT_EQ(table.resync_removed, 0u);
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, what_cannot_be_done_is_refused_in_words) {
  Fixture fixture(6);
  auto none = no_faults();
  fixture.work(5);
  Running running(fixture.parts(none));
  running.drain();
  const auto refusal = [](const Result<std::string>& answer) {
    return answer.ok() ? "done: " + *answer : answer.error().message;
  };
  EXPECT_EQ(refusal(running.run.pause("", "t9")), "store has no table t9");
  EXPECT_EQ(refusal(running.run.pause("shop", "t0")), "no destination is named shop");
  EXPECT_EQ(refusal(running.run.resume("", "t0")), "m.t0 is streaming, which resume does not change");
  EXPECT_EQ(refusal(running.run.resume("", "")), "store is not paused");
  EXPECT_EQ(refusal(running.run.resync("", "t0", "a = 'x'")), "--rows: a is not a key column of m.t0");
  EXPECT_NE(refusal(running.run.resync("", "t0", "id = now()")).find("expected"), std::string::npos);
  fixture.work(5);
  running.drain();
  fixture.expect_equal();
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_paused_destination_rests_over_a_restart_and_goes_on_when_resumed) {
  Fixture fixture(7);
  fixture.check_every_commit();
  auto none = no_faults();
  fixture.work(10);
  {
    Running running(fixture.parts(none));
    running.drain();
    ASSERT_TRUE(running.run.pause("store", "").ok());
    fixture.work(10);
    EXPECT_TRUE(running.end().ok());
  }
  const auto before = fixture.store.read();
  Running again(fixture.parts(none));
  fixture.work(10);
  while (again.run.status().destinations.at(0).state != "paused") std::this_thread::yield();
  EXPECT_EQ(fixture.store.read().tables, before.tables);
  ASSERT_TRUE(again.run.resume("", "").ok());
  again.drain();
  fixture.expect_equal();
  EXPECT_TRUE(again.end().ok());
}

TEST(PipelineControl, one_of_two_destinations_fails_and_the_other_goes_on) {
  Fixture fixture(8);
  MemoryStore other;
  std::atomic<bool> broken{true};
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    if (step != "write" || !broken) return std::nullopt;
    return Error{Error::Code::storage, Recovery::halt, "no space", "make room"};
  });
  auto none = no_faults();
  fixture.work(10);
  auto parts = fixture.parts(none);
  Fixture::add_destination(parts, "other", other, faults);
  Running running(std::move(parts));
  running.drain();
  fixture.work(10);
  running.drain();
  fixture.expect_equal();
  const auto failed = running.run.status().destinations.at(1);
  EXPECT_EQ(failed.state, "failed");
  EXPECT_EQ(failed.hint, "make room");
  broken = false;
  ASSERT_TRUE(running.run.resume("other", "").ok());
  running.drain();
  EXPECT_EQ(other.read().tables, fixture.store.read().tables);
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_run_that_ends_with_a_failed_destination_says_so) {
  Fixture fixture(9);
  Faults faults([](std::string_view step) -> std::optional<Error> {
    if (step != "write") return std::nullopt;
    return Error{Error::Code::storage, Recovery::halt, "no space", "make room"};
  });
  fixture.work(10);
  PipelineRun run(fixture.parts(faults));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  const auto ended = run.wait(stop.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.error().message.find("store: "), std::string::npos) << ended.error().message;
  EXPECT_NE(ended.error().message.find("no space"), std::string::npos) << ended.error().message;
}

TEST(PipelineControl,
     a_table_with_rows_that_joins_a_running_pipeline_is_copied_and_one_that_leaves_keeps_them) {
  Fixture fixture(10);
  fixture.check_every_commit();
  auto none = no_faults();
  fixture.database.offer(1);
  fixture.work(30);
  MemoryDatabase::Rows left;
  {
    Running running(fixture.parts(none));
    running.drain();
    EXPECT_FALSE(fixture.store.read().tables.contains("m.t1"));
    fixture.database.offer(2);
    fixture.work(30);
    fixture.database.commit({{.table = 1, .op = Op::insert, .id = 500, .new_id = 500, .a = "x", .b = "y"}});
    running.drain();
    fixture.expect_equal();
    EXPECT_TRUE(running.end().ok());
  }
  fixture.database.offer(1);
  {
    Running running(fixture.parts(none));
    fixture.work(20);
    running.drain();
    EXPECT_EQ(running.table("1").state, TableState::removed);
    left = fixture.store.read().tables.at("m.t1");
    EXPECT_TRUE(left.contains(500));
    EXPECT_TRUE(running.end().ok());
  }
  fixture.database.offer(2);
  Running running(fixture.parts(none));
  fixture.work(20);
  running.drain();
  fixture.expect_equal();
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_table_that_was_left_out_while_its_destination_was_stuck_misses_nothing) {
  Fixture fixture(11);
  std::atomic<bool> stuck = false;
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    if (!stuck || step != "write") return std::nullopt;
    return Error{Error::Code::unavailable, Recovery::retry, "the store is stuck", ""};
  });
  fixture.work(10);
  {
    Running running(fixture.parts(faults));
    running.drain();
    EXPECT_TRUE(running.end().ok());
  }
  fixture.database.offer(1);
  stuck = true;
  for (const std::int64_t id : {600, 601}) {
    for (const std::size_t table : {0U, 1U, 0U}) {
      const auto each = id + 10 * static_cast<std::int64_t>(fixture.database.size());
      fixture.database.commit(
          {{.table = table, .op = Op::insert, .id = each, .new_id = each, .a = "x", .b = "y"}});
    }
  }
  {
    Running running(fixture.parts(faults));
    while (running.run.status().captured != std::to_string(fixture.database.size()))
      std::this_thread::yield();
    EXPECT_TRUE(running.end().ok());
  }
  fixture.database.offer(2);
  stuck = false;
  Running running(fixture.parts(faults));
  running.drain();
  fixture.expect_equal();
  EXPECT_TRUE(running.end().ok());
}

TEST(PipelineControl, a_table_that_is_selected_again_is_so_although_the_first_commit_fails) {
  Fixture fixture(12);
  std::atomic<int> failures = 0;
  Faults faults([&](std::string_view step) -> std::optional<Error> {
    if (step != "commit" || failures == 0) return std::nullopt;
    --failures;
    return Error{Error::Code::unavailable, Recovery::reconnect, "the store has gone", ""};
  });
  const auto run_with = [&](std::size_t tables) {
    fixture.database.offer(tables);
    Running running(fixture.parts(faults));
    running.drain();
    EXPECT_TRUE(running.end().ok());
  };
  fixture.work(10);
  run_with(2);
  fixture.work(10);
  run_with(1);
  fixture.work(10);
  failures = 1;
  run_with(2);
  EXPECT_EQ(failures, 0);
  fixture.expect_equal();
}

TEST(PipelineControl, an_operator_who_does_anything_at_any_moment_loses_nothing) {
  for (std::uint32_t seed = 100; seed < 110; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Fixture fixture(seed);
    fixture.check_every_commit();
    std::mt19937 dice(seed * 104729);
    std::atomic<int> left = 15;
    Faults faults([&](std::string_view step) -> std::optional<Error> {
      if (left == 0 || step.starts_with("row") || dice() % 25 != 0) return std::nullopt;
      --left;
      return fault(dice, step);
    });
    fixture.work(20);
    for (int round = 0; round < 3; ++round) {
      auto parts = fixture.parts(faults);
      parts.options.snapshot_readers = seed % 3;
      Running running(std::move(parts));
      for (int i = 0; i < 12; ++i) {
        fixture.work(1 + static_cast<int>(fixture.random() % 4));
        const std::string table = fixture.random() % 2 == 0 ? "t0" : "t1";
        // What is refused at this moment is as good as not asked for.
        switch (fixture.random() % 6) {
          case 0: static_cast<void>(running.run.pause("", table).ok()); break;
          case 1: static_cast<void>(running.run.resume("", table).ok()); break;
          case 2: static_cast<void>(running.run.resync("", table, "").ok()); break;
          case 3: static_cast<void>(running.run.resync("", table, "id >= 10 and id < 30").ok()); break;
          case 4: static_cast<void>(running.run.resume("", "*").ok()); break;
          default: std::this_thread::sleep_for(std::chrono::milliseconds(2)); break;
        }
      }
      if (round == 2) {
        left = 0;
        running.drain();
        while (running.table("0").state != TableState::streaming ||
               running.table("1").state != TableState::streaming) {
          static_cast<void>(running.run.resume("", "*").ok());
          running.drain();
        }
        fixture.expect_equal();
      }
      const auto ended = running.end();
      EXPECT_TRUE(ended.ok()) << ended.error().message;
    }
    EXPECT_GT(fixture.checked, 0);
  }
}

}  // namespace
}  // namespace maia::engine
