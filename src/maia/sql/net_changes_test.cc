// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/net_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "maia/testing/change_sequences.h"

namespace maia::sql {
namespace {

using ::testing::SizeIs;

using maia::testing::key_schema;
using maia::testing::KeyChange;
using maia::testing::KeyRow;
using maia::testing::KeyTable;
using maia::testing::push;

const TableTarget& target() {
  static const TableTarget target{.name = {"s", "t"}, .schema = key_schema(), .key = {0}};
  return target;
}

int key_of(const RowRef& row) { return row.column(0).fixed<std::int32_t>(row.row); }

void set_values(KeyRow& values, const RowRef& row) {
  if (row.presence(1) == Presence::value) values.first = row.column(1).fixed<std::int32_t>(row.row);
  if (row.presence(2) == Presence::value) values.second = row.column(2).text(row.row);
}

void apply_moves(KeyTable& table, const NetRound& round) {
  KeyTable moved;
  std::set<int> gone;
  for (const auto& group : round.moves) {
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
      const auto old = table.find(key_of(group.from[i]));
      if (old == table.end()) continue;
      gone.insert({old->first, key_of(group.rows[i])});
      auto& values = moved[key_of(group.rows[i])] = old->second;
      set_values(values, group.rows[i]);
    }
  }
  for (const auto& remove : round.removes) gone.insert(key_of(remove));
  for (const int key : gone) table.erase(key);
  table.merge(moved);
}

void apply_round(KeyTable& table, const NetRound& round) {
  apply_moves(table, round);
  for (const auto& group : round.updates) {
    for (const auto& row : group.rows) {
      if (const auto old = table.find(key_of(row)); old != table.end()) set_values(old->second, row);
    }
  }
  for (const auto& row : round.upserts) set_values(table[key_of(row)] = {-1, "none"}, row);
  for (const auto& row : round.inserts) {
    EXPECT_EQ(table.count(key_of(row)), 0U);
    set_values(table[key_of(row)], row);
  }
}

/// Runs sequences of changes against tables that have each subset of the three keys.
class AgainstModel {
 public:
  void run(const std::vector<KeyChange>& changes) {
    if (::testing::Test::HasFailure()) return;
    ++sequences;
    first_.clear();
    second_.clear();
    int step = 0;
    for (const auto& change : changes) {
      push(step < 2 ? first_ : second_, change, step);
      ++step;
    }
    const Delivery deliveries[] = {{&target(), &first_}, {&target(), &second_}};
    const Delivery* pointers[] = {&deliveries[0], &deliveries[1]};
    std::vector<KeyTable> tables;
    for (unsigned subset = 0; subset < 8; ++subset) tables.push_back(maia::testing::key_rows(subset));
    net_.start(target(), pointers);
    for (;;) {
      const auto round = net_.next();
      ASSERT_TRUE(round.ok()) << round.error().message;
      if (!round.value()) break;
      ++rounds;
      for (auto& table : tables) apply_round(table, *round.value());
    }
    for (unsigned subset = 0; subset < 8; ++subset) {
      auto expected = maia::testing::key_rows(subset);
      step = 0;
      for (const auto& change : changes) maia::testing::apply(expected, change, step++);
      ASSERT_EQ(tables[subset], expected) << "keys " << subset << ": " << maia::testing::describe(changes);
    }
  }
  std::size_t sequences = 0;
  std::size_t rounds = 0;

 private:
  Batch first_{key_schema()};
  Batch second_{key_schema()};
  NetChanges net_;
};

TEST(net_changes, every_sequence_of_four_changes_of_three_keys_equals_row_by_row) {
  AgainstModel model;
  for (std::size_t length = 1; length <= 4; ++length) {
    maia::testing::for_each_sequence(maia::testing::kinds_of_change(true), length,
                                     [&](const auto& changes) { model.run(changes); });
  }
  EXPECT_GT(model.sequences, 80'000U);
}

/// Whether each insert of the sequence meets no row, so that it may come as fresh.
bool inserts_only_new_rows(const std::vector<KeyChange>& changes, KeyTable table) {
  int step = 0;
  for (const auto& change : changes) {
    if (change.op == Op::insert && table.contains(change.key)) return false;
    maia::testing::apply(table, change, step++);
  }
  return true;
}

TEST(net_changes, every_sequence_with_fresh_inserts_equals_row_by_row) {
  std::size_t sequences = 0;
  NetChanges net;
  const auto run = [&](const std::vector<KeyChange>& changes) {
    for (unsigned subset = 0; subset < 8; ++subset) {
      auto table = maia::testing::key_rows(subset);
      if (::testing::Test::HasFailure() || !inserts_only_new_rows(changes, table)) continue;
      ++sequences;
      auto expected = table;
      Batch batch(key_schema());
      int step = 0;
      for (const auto& change : changes) {
        push(batch, change, step);
        maia::testing::apply(expected, change, step++);
      }
      const Delivery delivery{.target = &target(), .batch = &batch, .fresh = true};
      const Delivery* pointer = &delivery;
      net.start(target(), {&pointer, 1});
      while (const auto* round = net.next().value()) apply_round(table, *round);
      ASSERT_EQ(table, expected) << "keys " << subset << ": " << maia::testing::describe(changes);
    }
  };
  for (std::size_t length = 1; length <= 4; ++length) {
    maia::testing::for_each_sequence(maia::testing::kinds_of_change(false), length, run);
  }
  EXPECT_GT(sequences, 100'000U);
}

TEST(net_changes, every_sequence_of_five_changes_of_three_keys_equals_row_by_row) {
  AgainstModel model;
  maia::testing::for_each_sequence(maia::testing::kinds_of_change(false), 5,
                                   [&](const auto& changes) { model.run(changes); });
  EXPECT_GT(model.sequences, 500'000U);
  // Most sequences of the test are no sequences that a source makes, so there are more rounds than in life.
  EXPECT_LT(model.rounds, model.sequences * 2);
}

/// One batch, and what it comes to.
class NetChangesOf : public ::testing::Test {
 protected:
  const NetRound& reduce(std::initializer_list<KeyChange> changes, bool fresh = false) {
    int step = 0;
    for (const auto& change : changes) push(batch_, change, step++);
    delivery_ = {&target(), &batch_, fresh};
    net_.start(target(), {&pointer_, 1});
    const auto round = net_.next();
    EXPECT_TRUE(round.ok() && round.value());
    return *round.value();
  }

  Batch batch_{key_schema()};
  Delivery delivery_;
  const Delivery* pointer_ = &delivery_;
  NetChanges net_;
};

TEST_F(NetChangesOf, fresh_inserts_need_no_look_up_and_vanish_when_removed) {
  const auto& round = reduce({{Op::insert, 1, 1}, {Op::insert, 2, 2}, {Op::remove, 1, 1}}, true);
  EXPECT_THAT(round.inserts, SizeIs(1));
  EXPECT_THAT(round.upserts, SizeIs(0));
  EXPECT_THAT(round.removes, SizeIs(0));
}

TEST_F(NetChangesOf, a_fresh_insert_after_a_removal_replaces) {
  const auto& round = reduce({{Op::remove, 1, 1}, {Op::insert, 1, 1}}, true);
  EXPECT_THAT(round.inserts, SizeIs(0));
  EXPECT_THAT(round.upserts, SizeIs(1));
}

TEST_F(NetChangesOf, a_swap_with_values_lacking_is_one_round_of_moves) {
  const auto& round = reduce(
      {{Op::update, 1, 7, false, true}, {Op::update, 2, 1, false, true}, {Op::update, 3, 2, false, true}});
  ASSERT_THAT(round.moves, SizeIs(1));
  EXPECT_THAT(round.moves[0].rows, SizeIs(3));
  EXPECT_THAT(round.moves[0].columns, ::testing::ElementsAre(0, 1));
  EXPECT_THAT(round.removes, SizeIs(0));
  EXPECT_FALSE(net_.next().value());
}

TEST_F(NetChangesOf, updates_are_grouped_by_the_columns_that_they_have) {
  const auto& round = reduce({{Op::update, 1, 1, false, true},
                              {Op::update, 2, 2, true, false},
                              {Op::update, 3, 3, false, true},
                              {Op::update, 4, 4, false, true},
                              {Op::update, 4, 4, true, false}});
  ASSERT_THAT(round.updates, SizeIs(3));
  EXPECT_THAT(round.updates[0].rows, SizeIs(2));
  EXPECT_THAT(round.updates[1].rows, SizeIs(1));
  EXPECT_THAT(round.updates[2].columns, SizeIs(3));
  EXPECT_THAT(round.upserts, SizeIs(0)) << "two halves of a row are no row that may be inserted";
}

TEST_F(NetChangesOf, a_value_that_only_the_before_image_has_makes_the_row_whole) {
  batch_.begin_row(Op::update, 0);
  batch_.mutable_after(0).push_fixed<std::int32_t>(1);
  batch_.mutable_after(1).push_fixed<std::int32_t>(5);
  batch_.mutable_after(2).push_unchanged();
  batch_.mutable_before(0).push_fixed<std::int32_t>(1);
  batch_.mutable_before(1).push_null();
  batch_.mutable_before(2).push_text("large");
  batch_.finish_row();
  const auto& round = reduce({});
  ASSERT_THAT(round.upserts, SizeIs(1)) << "the key is the same in both images, so nothing moves";
  KeyRow values;
  set_values(values, round.upserts[0]);
  EXPECT_EQ(values, KeyRow(5, "large"));
}

TEST_F(NetChangesOf, a_change_without_its_key_is_refused_by_column) {
  batch_.begin_row(Op::update, 0);
  batch_.mutable_after(0).push_unchanged();
  batch_.finish_row();
  delivery_ = {&target(), &batch_};
  net_.start(target(), {&pointer_, 1});
  const auto round = net_.next();
  ASSERT_FALSE(round.ok());
  EXPECT_EQ(round.error().code, Error::Code::data);
  EXPECT_THAT(round.error().message, ::testing::HasSubstr("s.t"));
  EXPECT_THAT(round.error().message, ::testing::HasSubstr("column key"));
}

/// Rows of a table without a key: (key, key, "x"), all of it one value.
void push_multiset(Batch& batch, const KeyChange& change) {
  const auto put = [&](ColumnVector& key, ColumnVector& a, ColumnVector& b, int value) {
    key.push_fixed<std::int32_t>(value);
    a.push_null();
    b.push_text("x");
  };
  batch.begin_row(change.op, batch.rows());
  if (change.op != Op::remove) {
    put(batch.mutable_after(0), batch.mutable_after(1), batch.mutable_after(2), change.new_key);
  }
  if (change.op != Op::insert) {
    put(batch.mutable_before(0), batch.mutable_before(1), batch.mutable_before(2), change.key);
  }
  batch.finish_row();
}

TEST(net_multiset, every_sequence_of_four_changes_of_two_rows_equals_row_by_row) {
  const std::vector<KeyChange> kinds = {{Op::insert, 0, 0}, {Op::insert, 1, 1}, {Op::remove, 0, 0},
                                        {Op::remove, 1, 1}, {Op::update, 0, 1}, {Op::update, 1, 0},
                                        {Op::update, 0, 0}};
  const TableTarget keyless{.name = {"s", "t"}, .schema = key_schema()};
  NetMultiset net;
  for (std::size_t number = 0; number < 7 * 7 * 7 * 7 * 9; ++number) {
    std::map<int, int> expected{{0, int(number / 2401 % 3)}, {1, int(number / 7203)}};
    auto table = expected;
    Batch batch(key_schema());
    for (std::size_t step = 0, rest = number; step < 4; ++step, rest /= 7) {
      const auto& change = kinds[rest % 7];
      push_multiset(batch, change);
      if (change.op != Op::insert && expected[change.key] > 0) --expected[change.key];
      if (change.op != Op::remove) ++expected[change.new_key];
    }
    const Delivery delivery{&keyless, &batch};
    const Delivery* pointer = &delivery;
    const auto rows = net.reduce(keyless, {&pointer, 1});
    ASSERT_TRUE(rows.ok());
    for (const auto& row : (*rows)->removes) {
      if (table[key_of(row)] > 0) --table[key_of(row)];
    }
    for (const auto& row : (*rows)->inserts) ++table[key_of(row)];
    ASSERT_EQ(table, expected) << number;
  }
}

TEST(net_multiset, a_removal_that_lacks_columns_is_refused) {
  const TableTarget keyless{.name = {"s", "t"}, .schema = key_schema()};
  Batch batch(key_schema());
  push(batch, {Op::remove, 1, 1}, 0);
  const Delivery delivery{&keyless, &batch};
  const Delivery* pointer = &delivery;
  NetMultiset net;
  const auto rows = net.reduce(keyless, {&pointer, 1});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Error::Code::data);
}

}  // namespace
}  // namespace maia::sql
