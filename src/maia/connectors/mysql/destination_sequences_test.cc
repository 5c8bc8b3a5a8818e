// SPDX-License-Identifier: Apache-2.0
// Every short sequence of changes of three keys, whatever rows are there, comes to what it comes to one by
// one. Each sequence has keys of its own in one table, so that thousands of them go through one write.
#include "maia/connectors/mysql/destination_fixture.h"
#include "maia/testing/change_sequences.h"

namespace maia::mysql {
namespace {

using testing::KeyTable;

class MysqlSequences : public MysqlDestinationTest {
 protected:
  DestinationConfig config() override {
    auto config = MysqlDestinationTest::config();
    config.foreign_keys = foreign_keys;
    return config;
  }
  void in_place(const TableTarget& target) {
    EXPECT_OK(destination->begin());
    EXPECT_OK(destination->prepare(target));
    EXPECT_OK(commit());
  }
  /// Applies each of them to each set of rows that may be there, `rows_per_write` changes at a time.
  void run(std::size_t length, bool every, std::size_t rows_per_write) {
    const auto schema = testing::key_schema();
    const TableTarget target{
        .name = {"", "t"}, .schema = schema, .mode = TableTarget::Mode::upsert, .key = {0}};
    in_place(target);
    Batch there(schema), changes(schema);
    KeyTable expected;
    std::uint64_t window = 1;
    const auto deliver = [&](Batch& batch, bool fresh) {
      if (batch.rows() == 0) return;
      EXPECT_OK(write({{.target = &target,
                        .batch = &batch,
                        .fresh = fresh,
                        .converging = true,
                        .transactions = {},
                        .window = window++}}));
      batch.clear();
    };
    int offset = 0;
    std::vector<std::vector<testing::KeyChange>> sequences;
    testing::for_each_sequence(testing::kinds_of_change(every), length, [&](const auto& one) {
      for (unsigned subset = 0; subset < 8; ++subset, offset += 3) {
        auto rows = testing::key_rows(subset, offset);
        for (const auto& [key, row] : rows) {
          there.begin_row(Op::insert, there.rows());
          there.mutable_after(0).push_fixed<std::int32_t>(key);
          there.mutable_after(1).push_fixed<std::int32_t>(row.first);
          there.mutable_after(2).push_text(row.second);
          there.finish_row();
        }
        sequences.push_back(one);
        int step = 0;
        for (auto& change : sequences.back()) {
          change.key += offset;
          change.new_key += offset;
          testing::apply(rows, change, step++);
        }
        expected.merge(rows);
      }
    });
    deliver(there, true);
    for (const auto& one : sequences) {
      int step = 0;
      for (const auto& change : one) testing::push(changes, change, step++);
      if (changes.rows() >= rows_per_write) deliver(changes, false);
    }
    deliver(changes, false);
    const auto found = rows("select `key`, a, b from t order by `key`");
    ASSERT_EQ(found.size(), expected.size());
    auto line = found.begin();
    for (const auto& [key, row] : expected)
      ASSERT_EQ(*line++, std::to_string(key) + "|" + std::to_string(row.first) + "|" + row.second);
  }
  ForeignKeys foreign_keys = ForeignKeys::off;
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlSequences, both_products(), product_name);

TEST_P(MysqlSequences, come_to_the_same_set_wise) { run(3, false, 3'000); }

TEST_P(MysqlSequences, come_to_the_same_row_by_row) { run(2, true, 10); }

TEST_P(MysqlSequences, come_to_the_same_with_foreign_keys_checked) {
  foreign_keys = ForeignKeys::check;
  destination = open_destination();
  run(2, false, 1'000);
}

TEST_P(MysqlSequences, tables_that_refer_to_each_other_are_written_in_the_source_order) {
  foreign_keys = ForeignKeys::check;
  destination = open_destination();
  execute(
      "create table parents (id int primary key) engine = InnoDB; create table children (id int primary key, "
      "parent int not null, foreign key (parent) references parents (id)) engine = InnoDB");
  TestTable parents({"", "parents"}, {column_of("id", Type::of(TypeId::int32))}, {0});
  auto parent = column_of("parent", Type::of(TypeId::int32));
  parent.nullable = false;
  TestTable children({"", "children"}, {column_of("id", Type::of(TypeId::int32)), parent}, {0});
  prepare(parents);
  prepare(children);
  for (int i = 0; i < 60; ++i) {
    parents.ordinal = static_cast<std::uint64_t>(i) * 4;
    parents.insert({std::to_string(i)});
    children.ordinal = parents.ordinal;
    children.insert({std::to_string(i), std::to_string(i)});
    if (i % 2 == 0) continue;
    children.remove({std::to_string(i), kSame});
    parents.ordinal = children.ordinal;
    parents.remove({std::to_string(i)});
  }
  EXPECT_OK(write({children.delivery(), parents.delivery()}));
  EXPECT_THAT(rows("select count(*) from children join parents on parents.id = parent"),
              ::testing::ElementsAre("30"));
  children.restart();
  children.insert({"100", "7"});
  const auto refused = write({children.delivery({.window = 2})});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::data);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("children"));
}

}  // namespace
}  // namespace maia::mysql
