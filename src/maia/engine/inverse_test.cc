// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/inverse.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "maia/testing/change_sequences.h"

namespace maia::engine {
namespace {

using testing::KeyChange;
using testing::KeyTable;

/// A table (key, a, b) and what was done to it, in order.
struct History {
  SchemaRef shape = testing::key_schema();
  std::vector<KeyTable> states{KeyTable{}};
  Batch batch{shape};

  void add(const KeyChange& change) {
    const auto step = static_cast<int>(batch.rows());
    testing::push(batch, change, step);
    auto next = states.back();
    testing::apply(next, change, step);
    states.push_back(std::move(next));
  }
};

/// The table as of `now` changes, taken back to how it was after `then` of them, with what is retained from
/// change `retained` on.
struct TakenBack {
  KeyTable rows;
  InverseCounts counts;
};

void apply_to(KeyTable& rows, const Batch& batch) {
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto key = batch.old_key(0, row).fixed<std::int32_t>(row);
    if (batch.op(row) == Op::remove) {
      EXPECT_EQ(rows.erase(key), 1u) << "a delete of a row that is not there";
      continue;
    }
    EXPECT_EQ(rows.contains(key), batch.op(row) == Op::update);
    auto& values = rows[key];
    if (batch.after(1).has_value(row)) values.first = batch.after(1).fixed<std::int32_t>(row);
    if (batch.after(2).has_value(row)) values.second = batch.after(2).text(row);
  }
}

TakenBack take_back(const History& history, std::size_t then, std::size_t retained, std::size_t parts = 1) {
  TakenBack result{history.states.back(), {}};
  for (std::size_t part = 0; part < parts; ++part) {
    Inverse inverse(history.shape, {part, parts});
    EXPECT_TRUE(inverse.later(history.batch, then, UINT64_MAX).ok());
    while (inverse.needs_earlier()) {
      inverse.earlier(history.batch, retained, then);
      inverse.end_of_pass();
    }
    EXPECT_TRUE(inverse
                    .write([&](const Batch& batch) -> Status {
                      apply_to(result.rows, batch);
                      return {};
                    })
                    .ok());
    result.counts.lost += inverse.counts().lost;
    result.counts.inserts += inverse.counts().inserts;
    result.counts.updates += inverse.counts().updates;
    result.counts.deletes += inverse.counts().deletes;
  }
  return result;
}

/// Changes that can happen to the table as it is.
KeyChange random_change(std::mt19937& random, const KeyTable& rows) {
  const int key = static_cast<int>(random() % 6);
  KeyChange change{.op = Op::insert, .key = key, .new_key = key};
  if (!rows.contains(key)) return change;
  if (random() % 4 == 0) {
    change.op = Op::remove;
    return change;
  }
  change.op = Op::update;
  const int to = static_cast<int>(random() % 6);
  if (!rows.contains(to)) change.new_key = to;
  change.lacks_a = random() % 3 == 0;
  change.lacks_b = random() % 2 == 0;
  return change;
}

TEST(Inverse, every_earlier_state_is_reached_from_a_history_that_is_retained_whole) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    History history;
    for (int i = 0; i < 14; ++i) history.add(random_change(random, history.states.back()));
    for (std::size_t then = 0; then < history.states.size(); ++then) {
      const auto back = take_back(history, then, 0, 1 + seed % 3);
      EXPECT_EQ(back.rows, history.states[then]) << "seed " << seed << ", after " << then;
      EXPECT_EQ(back.counts.lost, 0u) << "seed " << seed << ", after " << then;
    }
  }
}

TEST(Inverse, rows_whose_values_are_not_retained_are_counted_and_left_alone_and_all_others_are_right) {
  std::uint64_t lost = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    History history;
    for (int i = 0; i < 14; ++i) history.add(random_change(random, history.states.back()));
    const std::size_t then = 7;
    const auto back = take_back(history, then, 5);
    std::uint64_t wrong = 0;
    const auto& now = history.states.back();
    for (int key = 0; key < 6; ++key) {
      const auto want = history.states[then].find(key);
      const auto have = back.rows.find(key);
      const bool same = (want == history.states[then].end()) == (have == back.rows.end()) &&
                        (want == history.states[then].end() || want->second == have->second);
      if (same) continue;
      ++wrong;
      const auto left = now.find(key);
      EXPECT_EQ(left == now.end(), have == back.rows.end());
      if (left == now.end() || have == back.rows.end()) continue;
      EXPECT_EQ(left->second, have->second);
    }
    EXPECT_LE(wrong, back.counts.lost) << "seed " << seed;
    lost += back.counts.lost;
  }
  EXPECT_GT(lost, 0u);
}

TEST(Inverse, values_that_did_not_change_since_need_no_history) {
  History history;
  history.add({.op = Op::insert, .key = 1, .new_key = 1});
  history.add({.op = Op::update, .key = 1, .new_key = 1, .lacks_a = true, .lacks_b = true});
  const auto back = take_back(history, 1, 1);
  EXPECT_EQ(back.rows, history.states[1]);
  EXPECT_EQ(back.counts.lost, 0u);
  EXPECT_EQ(back.counts.updates, 1u);
}

TEST(Inverse, a_row_of_which_nothing_is_retained_is_named) {
  History history;
  history.add({.op = Op::insert, .key = 4, .new_key = 4});
  history.add({.op = Op::remove, .key = 4, .new_key = 4});
  Inverse inverse(history.shape, {});
  ASSERT_TRUE(inverse.later(history.batch, 1, UINT64_MAX).ok());
  while (inverse.needs_earlier()) inverse.end_of_pass();
  ASSERT_TRUE(inverse.write([](const Batch&) -> Status { return {}; }).ok());
  EXPECT_EQ(inverse.counts().lost, 1u);
  EXPECT_EQ(inverse.counts().lost_example, "4");
}

SchemaRef keyless() {
  TableSchema schema = *testing::key_schema();
  schema.identity = Identity::full;
  for (auto& column : schema.columns) column.in_key = false;
  return std::make_shared<const TableSchema>(std::move(schema));
}

void push_keyless(Batch& batch, Op op, int a, std::optional<int> old = {}) {
  batch.begin_row(op, batch.rows());
  const auto values = [&](bool before, int of) {
    const auto at = [&](std::size_t i) -> ColumnVector& {
      return before ? batch.mutable_before(i) : batch.mutable_after(i);
    };
    at(0).push_fixed<std::int32_t>(of);
    at(1).push_null();
    at(2).push_text("x");
  };
  if (op != Op::remove) values(false, a);
  if (op == Op::remove) values(true, a);
  if (old) values(true, *old);
  batch.finish_row();
}

TEST(Inverse, rows_without_a_key_are_counted_as_they_are) {
  const auto shape = keyless();
  Batch batch(shape);
  push_keyless(batch, Op::insert, 1);
  push_keyless(batch, Op::insert, 1);
  push_keyless(batch, Op::remove, 2);
  push_keyless(batch, Op::update, 3, 1);
  push_keyless(batch, Op::remove, 3);
  Inverse inverse(shape, {});
  ASSERT_TRUE(inverse.later(batch, 0, UINT64_MAX).ok());
  EXPECT_FALSE(inverse.needs_earlier());
  std::vector<std::string> done;
  ASSERT_TRUE(inverse
                  .write([&](const Batch& rows) -> Status {
                    for (std::size_t row = 0; row < rows.rows(); ++row) {
                      const bool removed = rows.op(row) == Op::remove;
                      const auto& value = removed ? rows.before(0) : rows.after(0);
                      done.push_back((removed ? "-" : "+") + std::to_string(value.fixed<std::int32_t>(row)));
                    }
                    return {};
                  })
                  .ok());
  EXPECT_EQ(done, (std::vector<std::string>{"-1", "+2"}));
}

}  // namespace
}  // namespace maia::engine
