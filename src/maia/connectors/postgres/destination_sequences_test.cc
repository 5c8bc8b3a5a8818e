// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <map>
#include <random>

#include "maia/connectors/postgres/destination_fixture.h"

namespace maia::postgres {
namespace {

// Sequences of changes as a source with an immediate unique constraint on `u` can make them, on three keys.
// Each sequence is a case of its own in one large table, so that thousands of them go through one write.

constexpr int kKeys = 3;

struct Row {
  std::string u;  ///< empty: NULL; unique within the case
  std::string large;
};
using State = std::array<std::optional<Row>, kKeys>;

struct Step {
  enum class Kind { insert, update, update_small, remove, move, move_small } kind;
  int key = 0;
  int to = 0;  ///< moves only
};

std::string unused(const State& state) {
  for (const auto* u : {"a", "b", "c"}) {
    const bool used =
        std::any_of(state.begin(), state.end(), [&](const auto& row) { return row && row->u == u; });
    if (!used) return u;
  }
  return "";
}

std::vector<Step> possible(const State& state, bool moves) {
  std::vector<Step> steps;
  for (int key = 0; key < kKeys; ++key) {
    if (!state[static_cast<std::size_t>(key)]) {
      steps.push_back({Step::Kind::insert, key});
      continue;
    }
    for (const auto kind : {Step::Kind::update, Step::Kind::update_small, Step::Kind::remove}) {
      steps.push_back({kind, key});
    }
    for (int to = 0; moves && to < kKeys; ++to) {
      if (state[static_cast<std::size_t>(to)]) continue;
      steps.push_back({Step::Kind::move, key, to});
      steps.push_back({Step::Kind::move_small, key, to});
    }
  }
  return steps;
}

class Cases {
 public:
  explicit Cases(TestTable& table) : table_(table) {}

  static State first() { return {Row{"a", "large 0"}, Row{"b", "large 1"}, std::nullopt}; }

  void start(int number) {
    number_ = std::to_string(number);
    state_ = first();
    for (int key = 0; key < 2; ++key) table_.insert(texts(key));
  }
  void run(int number, const std::vector<Step>& steps) {
    number_ = std::to_string(number);
    state_ = first();
    for (const auto& step : steps) apply(step);
    for (int key = 0; key < kKeys; ++key) {
      if (!state_[static_cast<std::size_t>(key)]) continue;
      const auto row = texts(key);
      expected_[number_ + "|" + *row[1]] = row[2].value_or("~") + "|" + *row[3];
    }
  }
  const std::map<std::string, std::string>& expected() const { return expected_; }

  State state_;

 private:
  Texts texts(int key) const {
    const auto& row = *state_[static_cast<std::size_t>(key)];
    return {number_, std::to_string(key), row.u.empty() ? std::optional<std::string>{} : row.u, row.large};
  }
  Texts key_image(int key) const { return {number_, std::to_string(key), kSame, kSame}; }

  void apply(const Step& step) {
    auto& row = state_[static_cast<std::size_t>(step.key)];
    const auto text = "large " + number_ + "." + std::to_string(++texts_);
    using Kind = Step::Kind;
    if (step.kind == Kind::remove) {
      table_.remove(key_image(step.key));
      row.reset();
      return;
    }
    if (step.kind == Kind::insert) {
      const auto u = unused(state_);
      row = Row{u, text};
      table_.insert(texts(step.key));
      return;
    }
    const bool small = step.kind == Kind::update_small || step.kind == Kind::move_small;
    const bool moves = step.kind == Kind::move || step.kind == Kind::move_small;
    // By way of NULL two rows can swap their unique values.
    row->u = row->u.empty() || small ? unused(state_) : "";
    if (!small) row->large = text;
    if (moves) {
      state_[static_cast<std::size_t>(step.to)] = *row;
      row.reset();
    }
    auto after = texts(moves ? step.to : step.key);
    if (small) after[3] = kSame;
    table_.update(after, moves ? key_image(step.key) : Texts{});
  }

  TestTable& table_;
  std::string number_;
  int texts_ = 0;
  std::map<std::string, std::string> expected_;
};

/// Every sequence of `length` steps, and `more` random ones of a length above.
std::vector<std::vector<Step>> sequences(std::size_t length, std::size_t more, bool moves) {
  std::vector<std::vector<Step>> all;
  // The possible steps follow from which keys are there.
  const auto follow = [](State& state, const Step& step) {
    auto& row = state[static_cast<std::size_t>(step.key)];
    if (step.kind == Step::Kind::insert) row = Row{};
    if (step.kind == Step::Kind::remove) row.reset();
    if (step.kind != Step::Kind::move && step.kind != Step::Kind::move_small) return;
    state[static_cast<std::size_t>(step.to)] = Row{};
    row.reset();
  };
  std::function<void(State, std::vector<Step>)> extend = [&](State state, std::vector<Step> steps) {
    if (steps.size() == length) return all.push_back(std::move(steps));
    for (const auto& step : possible(state, moves)) {
      auto next = state;
      follow(next, step);
      auto longer = steps;
      longer.push_back(step);
      extend(next, std::move(longer));
    }
  };
  extend(Cases::first(), {});
  std::mt19937 random(20261123);
  for (std::size_t i = 0; i < more; ++i) {
    auto state = Cases::first();
    std::vector<Step> steps;
    for (std::size_t n = 0; n < length + 1 + i % 8; ++n) {
      const auto choice = possible(state, moves);
      steps.push_back(choice[random() % choice.size()]);
      follow(state, steps.back());
    }
    all.push_back(std::move(steps));
  }
  return all;
}

struct Setup {
  const char* name;
  const char* constraint;  ///< SQL that follows the making of the table
  ForeignKeys foreign_keys;
  std::size_t rows_per_write;
  bool moves;  ///< whether keys change
};

class SequencesTest : public DestinationTest, public ::testing::WithParamInterface<Setup> {
 protected:
  ForeignKeys foreign_keys() override { return GetParam().foreign_keys; }
};

TEST_P(SequencesTest, come_to_what_they_come_to_one_by_one) {
  TestTable table({"public", "t"},
                  {column_of("number", Type::of(TypeId::int32)), column_of("key", Type::of(TypeId::int16)),
                   column_of("u", Type::text()), column_of("large", Type::text())},
                  {0, 1});
  prepare(table);
  execute(GetParam().constraint);
  const auto all = sequences(4, 2000, GetParam().moves);
  Cases cases(table);
  for (std::size_t i = 0; i < all.size(); ++i) cases.start(static_cast<int>(i));
  EXPECT_OK(write({table.delivery({.fresh = true})}));
  table.restart();
  for (std::size_t i = 0; i < all.size(); ++i) {
    cases.run(static_cast<int>(i), all[i]);
    if (table.batch->rows() > GetParam().rows_per_write) {
      EXPECT_OK(write({table.delivery()}));
      table.restart();
    }
  }
  EXPECT_OK(write({table.delivery()}));
  std::map<std::string, std::string> found;
  for (const auto& line : rows("select number || '|' || key, u, large from t")) {
    const auto first = line.find('|');
    const auto cut = line.find('|', first + 1);
    found[line.substr(0, cut)] = line.substr(cut + 1);
  }
  ASSERT_EQ(found.size(), cases.expected().size());
  for (const auto& [key, row] : cases.expected()) ASSERT_EQ(found[key], row) << key;
}

INSTANTIATE_TEST_SUITE_P(
    Ways, SequencesTest,
    ::testing::Values(
        Setup{"arrays", "select 1", ForeignKeys::replica, 300, false},
        Setup{"staged", "select 1", ForeignKeys::replica, 300, true},
        Setup{"put_back", "alter table t add unique (number, u)", ForeignKeys::replica, 300, true},
        Setup{"row_by_row_since_referenced",
              "alter table t add unique (number, u); "
              "create table child (n int, k smallint, foreign key (n, k) references t on delete cascade)",
              ForeignKeys::check, 300, true},
        Setup{"row_by_row_since_small", "alter table t add unique (number, u)", ForeignKeys::check, 20,
              true}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace maia::postgres
