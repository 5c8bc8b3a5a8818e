// SPDX-License-Identifier: Apache-2.0
// Rows that a destination refuses while a table is copied.
#include <gtest/gtest.h>

#include <set>

#include "maia/engine/pipeline_fixture.h"

namespace maia::engine {
namespace {

class RefusedRows : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::int64_t id = 0; id < 100; ++id) {
      fixture.database.commit({{.table = 0, .op = Op::insert, .id = id, .new_id = id, .a = "a", .b = "b"}});
    }
  }
  void run(RowErrorPolicy policy) {
    auto parts = fixture.parts(faults);
    parts.options.row_errors.write = policy;
    run_to_the_end(std::move(parts));
  }
  std::size_t waiting() { return fixture.dead_letters.waiting("store", false).value().size(); }
  MemoryDatabase::Rows all_but_the_refused() {
    auto rows = fixture.database.rows(0, fixture.database.size());
    std::erase_if(rows, [&](const auto& row) { return refused.contains(row.first); });
    return rows;
  }

  std::set<std::int64_t> refused;
  Faults faults{[this](std::string_view step) -> std::optional<Error> {
    for (const auto id : refused) {
      if (step == fmt::format("row m.t0 {}", id))
        return Error{Error::Code::data, Recovery::halt, fmt::format("row {} is too long", id), ""};
    }
    return std::nullopt;
  }};
  Fixture fixture{3};
};

TEST_F(RefusedRows, become_dead_letters_and_the_rest_of_the_table_is_copied) {
  refused = {0, 17, 18, 99};
  run(RowErrorPolicy::dead_letter);
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), all_but_the_refused());
  const auto letters = fixture.dead_letters.waiting("store", true).value();
  ASSERT_EQ(letters.size(), 4u);
  for (const auto& letter : letters) {
    EXPECT_EQ(letter.stage, "write");
    EXPECT_NE(letter.reason.find("is too long"), std::string::npos) << letter.reason;
  }
}

TEST_F(RefusedRows, hold_back_later_changes_of_their_own) {
  refused = {17};
  run(RowErrorPolicy::dead_letter);
  refused.clear();
  fixture.database.commit({{.table = 0, .op = Op::update, .id = 17, .new_id = 17, .a = "new", .b = "new"},
                           {.table = 0, .op = Op::update, .id = 18, .new_id = 18, .a = "new", .b = "new"}});
  run(RowErrorPolicy::dead_letter);
  EXPECT_EQ(waiting(), 2u);
  const auto there = fixture.store.read().tables.at("m.t0");
  EXPECT_FALSE(there.contains(17));
  EXPECT_EQ(there.at(18).first, "new");
}

TEST_F(RefusedRows, are_passed_over_where_that_is_the_policy) {
  refused = {3, 50};
  run(RowErrorPolicy::skip);
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(fixture.store.read().tables.at("m.t0"), all_but_the_refused());
}

TEST_F(RefusedRows, that_are_all_there_is_leave_an_empty_table) {
  for (std::int64_t id = 1; id < 100; ++id)
    fixture.database.commit({{.table = 0, .op = Op::remove, .id = id, .new_id = id, .a = {}, .b = {}}});
  refused = {0};
  run(RowErrorPolicy::dead_letter);
  EXPECT_EQ(waiting(), 1u);
  EXPECT_TRUE(fixture.store.read().tables.at("m.t0").empty());
}

TEST_F(RefusedRows, quarantine_their_table_when_there_are_more_than_allowed) {
  for (std::int64_t id = 0; id < 100; ++id) refused.insert(id);
  auto parts = fixture.parts(faults);
  parts.options.row_errors.max_dead_letters = 20;
  PipelineRun run(std::move(parts));
  std::stop_source stop;
  ASSERT_TRUE(run.start(stop.get_token()).ok());
  ASSERT_TRUE(run.drain_to(run.source_end().value(), stop.get_token()).ok());
  const auto status = run.status();
  EXPECT_EQ(status.destinations.at(0).tables.at("0").state, TableState::quarantined);
  EXPECT_EQ(status.destinations.at(0).tables.at("1").state, TableState::streaming);
  EXPECT_NE(status.destinations.at(0).tables.at("0").reason.find("max_dead_letters"), std::string::npos);
  EXPECT_LT(waiting(), 50u);
  stop.request_stop();
  EXPECT_TRUE(run.wait(stop.get_token()).ok());
}

}  // namespace
}  // namespace maia::engine
