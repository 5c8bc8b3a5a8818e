// SPDX-License-Identifier: Apache-2.0
// A source that is a log without rows: docs/decisions/0011.
#include <gmock/gmock.h>

#include "maia/engine/pipeline_fixture.h"

namespace maia::engine {
namespace {

using ::testing::HasSubstr;

PipelineRun::Parts log_parts(Fixture& fixture, Faults& faults) {
  auto parts = fixture.parts(faults);
  parts.source = std::make_unique<testing::MemorySource>(fixture.database, faults, false);
  parts.options.snapshot = false;
  parts.options.source_has_rows = false;
  parts.options.resync_lost_history = true;
  parts.options.confirm.when = ConfirmOptions::When::journaled;
  return parts;
}

TEST(LogSource, everything_since_the_first_change_arrives_and_nothing_is_copied) {
  Fixture fixture(1);
  Faults none([](std::string_view step) -> std::optional<Error> {
    if (step != "snapshot" && step != "plan") return std::nullopt;
    return Error{Error::Code::internal, Recovery::halt, "rows were asked for", ""};
  });
  fixture.work(100);
  run_to_the_end(log_parts(fixture, none));
  fixture.expect_equal();
  fixture.work(100);
  run_to_the_end(log_parts(fixture, none));
  fixture.expect_equal();
}

TEST(LogSource, faults_anywhere_lose_and_double_nothing) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    Fixture fixture(seed);
    std::mt19937 dice(seed);
    int left = 6;
    Faults faults([&](std::string_view step) -> std::optional<Error> {
      if (left == 0 || dice() % 12 != 0) return std::nullopt;
      --left;
      return fault(dice, step);
    });
    fixture.work(150);
    run_to_the_end(log_parts(fixture, faults));
    fixture.expect_equal();
  }
}

TEST(LogSource, a_resync_is_refused_by_name_and_pausing_goes_on_as_ever) {
  Fixture fixture(2);
  Faults none([](std::string_view) -> std::optional<Error> { return std::nullopt; });
  fixture.work(50);
  PipelineRun run(log_parts(fixture, none));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  ASSERT_TRUE(run.drain_to(run.source_end().value(), stop.get_token()).ok());
  const auto refused = run.resync("", "t0", "");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("m.t0 comes from a log"));
  EXPECT_THAT(refused.error().hint, HasSubstr("maia drop"));
  ASSERT_TRUE(run.pause("", "t0").ok());
  fixture.work(50);
  ASSERT_TRUE(run.drain_to(run.source_end().value(), stop.get_token()).ok());
  ASSERT_TRUE(run.resume("", "t0").ok());
  ASSERT_TRUE(run.drain_to(run.source_end().value(), stop.get_token()).ok());
  stop.request_stop();
  ASSERT_TRUE(run.wait(stop.get_token()).ok());
  fixture.expect_equal();
}

TEST(LogSource, a_table_that_is_selected_again_goes_on_where_it_was_left) {
  Fixture fixture(4);
  Faults none([](std::string_view) -> std::optional<Error> { return std::nullopt; });
  fixture.work(40);
  run_to_the_end(log_parts(fixture, none));
  fixture.database.offer(1);
  for (std::int64_t id = 100; id < 110; ++id)
    fixture.database.commit({{.table = 0, .op = Op::insert, .id = id, .new_id = id, .a = "a", .b = "b"}});
  run_to_the_end(log_parts(fixture, none));
  fixture.database.offer(kTables);
  fixture.work(40);
  run_to_the_end(log_parts(fixture, none));
  fixture.expect_equal();
}

TEST(LogSource, lost_history_stops_although_a_resync_is_asked_for) {
  Fixture fixture(3);
  Faults faults([](std::string_view step) -> std::optional<Error> {
    if (step != "stream") return std::nullopt;
    return Error{Error::Code::lost_history, Recovery::halt, "records expired", "", "records_expired"};
  });
  PipelineRun run(log_parts(fixture, faults));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  const auto ended = run.wait(stop.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "records_expired");
  EXPECT_FALSE(run.begins_again_after(ended.error()));
}

}  // namespace
}  // namespace maia::engine
