// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/connectors/duckdb/destination_fixture.h"
#include "maia/testing/change_sequences.h"

namespace maia::duckdb {
namespace {

using maia::testing::KeyChange;
using maia::testing::KeyTable;

/// Runs sequences of changes against a real table. Each has three keys of its own, so that all of them share
/// one window, first step by first step, and with it the rounds and the statements.
class DuckDbSequences : public DestinationTest {
 protected:
  void add(const std::vector<KeyChange>& changes, unsigned subset) {
    const int offset = 3 * count_++;
    for (const auto& [key, row] : maia::testing::key_rows(subset, offset)) {
      push(rows_, Op::read, {std::to_string(key), std::to_string(row.first), row.second});
      expected_[key] = row;
    }
    if (steps_.size() < changes.size()) steps_.resize(changes.size());
    int step = 0;
    for (auto change : changes) {
      change.key += offset;
      change.new_key += offset;
      steps_[static_cast<std::size_t>(step)].push_back(change);
      maia::testing::apply(expected_, change, step);
      ++step;
    }
  }
  void run() {
    prepare(table_);
    write_and_commit(table_, rows_, true);
    Batch changes(table_.schema);
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      for (const auto& change : steps_[step]) maia::testing::push(changes, change, static_cast<int>(step));
    }
    write_and_commit(table_, changes);
    KeyTable stored;
    const auto result = destination().query("SELECT * FROM t", {.rows = 10'000'000, .timeout_ms = 600'000});
    ASSERT_TRUE(result.ok()) << result.error().message;
    for (const auto& row : result->rows) {
      ASSERT_TRUE(stored.emplace(std::stoi(*row[0]), std::pair(std::stoi(*row[1]), *row[2])).second)
          << "key " << *row[0] << " is there twice";
    }
    ASSERT_TRUE(stored == expected_);
  }

  TableTarget table_ = target(maia::testing::key_schema());
  Batch rows_{table_.schema};
  std::vector<std::vector<KeyChange>> steps_;
  KeyTable expected_;
  int count_ = 0;
};

TEST_F(DuckDbSequences, every_sequence_of_three_changes_of_every_table_equals_row_by_row) {
  for (std::size_t length = 1; length <= 3; ++length) {
    maia::testing::for_each_sequence(maia::testing::kinds_of_change(true), length, [&](const auto& changes) {
      for (unsigned subset = 0; subset < 8; ++subset) add(changes, subset);
    });
  }
  EXPECT_GT(count_, 20'000);
  run();
}

TEST_F(DuckDbSequences, every_sequence_of_four_changes_equals_row_by_row) {
  maia::testing::for_each_sequence(maia::testing::kinds_of_change(false), 4, [&](const auto& changes) {
    add(changes, static_cast<unsigned>(count_) % 8);
  });
  EXPECT_GT(count_, 25'000);
  run();
}

}  // namespace
}  // namespace maia::duckdb
