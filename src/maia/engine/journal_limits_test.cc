// SPDX-License-Identifier: Apache-2.0
// A pipeline whose journal is full, whose journal's disk is ill, or whose source may forget what only the
// journal has.
#include <atomic>
#include <thread>

#include "maia/engine/pipeline_fixture.h"
#include "maia/testing/fault_disk.h"

namespace maia::engine {
namespace {

using testing::FaultDisk;
using namespace std::chrono_literals;

class JournalLimitsTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSegmentBytes = 2000;

  std::unique_ptr<PipelineRun> make(PipelineOptions options = {}) {
    auto parts = fixture_.parts(faults_, LocalJournal::open(disk_, {"/journal", kSegmentBytes, 1}).value());
    options.name = parts.options.name;
    options.idle_checkpoint = parts.options.idle_checkpoint;
    parts.options = std::move(options);
    return std::make_unique<PipelineRun>(std::move(parts));
  }
  void insert(std::int64_t from, std::int64_t to) {
    for (auto id = from; id < to; ++id) {
      database_.commit({{.table = 0, .op = Op::insert, .id = id, .new_id = id, .a = "a", .b = "b"}});
    }
  }
  template <class Condition>
  static void wait_for(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }
  void expect_equal() { EXPECT_EQ(store_.read().tables.at("m.t0"), database_.rows(0, database_.size())); }
  void drain_and_stop(PipelineRun& run) {
    const auto drained = run.drain_to(run.source_end().value(), {});
    ASSERT_TRUE(drained.ok()) << drained.error().message;
    stop_.request_stop();
    ASSERT_TRUE(run.wait(stop_.get_token()).ok());
    stop_ = {};
  }
  /// Once its tables are copied.
  void wait_until_streaming(PipelineRun& run) {
    wait_for([&] {
      const auto status = run.status();
      return !status.destinations.empty() && status.destinations[0].state == "streaming";
    });
  }

  FaultDisk disk_;
  Fixture fixture_{1, 1};
  MemoryDatabase& database_ = fixture_.database;
  MemoryStore& store_ = fixture_.store;
  std::atomic<bool> stuck_{false};
  Faults faults_{[this](std::string_view step) -> std::optional<Error> {
    if (!stuck_ || step != "write") return std::nullopt;
    return Error{Error::Code::unavailable, Recovery::retry, "the store is stuck", ""};
  }};
  std::stop_source stop_;
};

TEST_F(JournalLimitsTest, a_full_journal_stops_reading_says_so_and_goes_on_when_there_is_room) {
  PipelineOptions options;
  options.retention = {.bytes = 0, .max_bytes = 5 * kSegmentBytes};
  const auto run = make(options);
  ASSERT_TRUE(run->start(stop_.get_token()).ok());
  wait_until_streaming(*run);
  stuck_ = true;
  for (std::int64_t id = 0; run->status().capture != "waiting for room in the journal"; ++id) {
    insert(id, id + 1);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_NE(run->status().capture_error.find("waits for store"), std::string::npos);
  EXPECT_EQ(run->status().journal_max_bytes, 5 * kSegmentBytes);
  const auto id = static_cast<std::int64_t>(database_.size());
  insert(id, id + 400);  // far more than the journal may hold
  stuck_ = false;
  drain_and_stop(*run);
  expect_equal();
}

TEST_F(JournalLimitsTest, drop_behind_lets_a_stuck_destination_lose_its_history_by_name) {
  PipelineOptions options;
  options.retention = {.bytes = 0, .max_bytes = 5 * kSegmentBytes, .drop_behind = true};
  const auto run = make(options);
  ASSERT_TRUE(run->start(stop_.get_token()).ok());
  wait_until_streaming(*run);
  insert(0, 5);
  ASSERT_TRUE(run->drain_to(run->source_end().value(), {}).ok());
  stuck_ = true;
  insert(5, 400);
  wait_for([&] { return run->status().captured == "400"; });
  stuck_ = false;
  wait_for([&] { return run->status().destinations[0].state == "failed"; });
  EXPECT_NE(run->status().destinations[0].last_error.find("the journal"), std::string::npos);
  stop_.request_stop();
  const auto ended = run->wait(stop_.get_token());
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Error::Code::lost_history) << ended.error().message;
}

TEST_F(JournalLimitsTest, what_is_delivered_stays_for_replay_as_far_as_it_was_asked_for) {
  PipelineOptions options;
  options.retention = {.age = std::chrono::hours(24 * 365 * 100), .bytes = 10 * kSegmentBytes};
  const auto run = make(options);
  ASSERT_TRUE(run->start(stop_.get_token()).ok());
  wait_until_streaming(*run);
  insert(0, 600);
  ASSERT_TRUE(run->drain_to(run->source_end().value(), {}).ok());
  wait_for([&] {
    const auto status = run->status();
    return status.captured == "600" && status.journal_bytes < 12 * kSegmentBytes;
  });
  EXPECT_GT(run->status().journal_bytes, 8 * kSegmentBytes);
  drain_and_stop(*run);
}

TEST_F(JournalLimitsTest, a_disk_that_fails_at_any_call_stops_nothing_for_good) {
  for (std::uint64_t round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const auto from = static_cast<std::int64_t>(database_.size());
    const auto run = make();
    ASSERT_TRUE(run->start(stop_.get_token()).ok());
    disk_.fail_calls(1 + round, 1 + round % 4,
                     round % 2 == 0 ? FaultDisk::Fault::no_space : FaultDisk::Fault::io_error);
    insert(from, from + 40);
    for (auto id = from + 40; !disk_.has_failed(); ++id) {
      insert(id, id + 1);
      std::this_thread::sleep_for(1ms);
    }
    drain_and_stop(*run);
    expect_equal();
  }
}

TEST_F(JournalLimitsTest, journaled_confirms_what_no_destination_has_but_never_what_a_power_cut_could_take) {
  PipelineOptions options;
  options.confirm.when = ConfirmOptions::When::journaled;
  {
    const auto run = make(options);
    ASSERT_TRUE(run->start(stop_.get_token()).ok());
    wait_until_streaming(*run);
    insert(0, 10);
    ASSERT_TRUE(run->drain_to(run->source_end().value(), {}).ok());
    stuck_ = true;
    insert(10, 200);
    wait_for([&] { return database_.confirmed() == 200; });
    EXPECT_TRUE(run->status().confirms_journaled);
    EXPECT_LT(store_.read().tables.at("m.t0").size(), 100U);
    disk_.crash(FaultDisk::Crash::forget);
    stop_.request_stop();
    (void)run->wait(stop_.get_token());
    stop_ = {};
  }
  stuck_ = false;
  EXPECT_EQ(LocalJournal::open(disk_, {"/journal"}).value()->tail().position.token, "200");
  const auto run = make(options);
  ASSERT_TRUE(run->start(stop_.get_token()).ok());
  drain_and_stop(*run);
  expect_equal();
}

}  // namespace
}  // namespace maia::engine
