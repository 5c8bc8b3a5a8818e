// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "maia/connectors/postgres/destination_fixture.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TestTable people() {
  return TestTable({"public", "people"},
                   {column_of("id", Type::of(TypeId::int32)), column_of("name", Type::text()),
                    column_of("large", Type::text())},
                   {0});
}

/// A number of other rows decides between the ways: row by row, arrays, staging table.
class ConstraintsTest : public DestinationTest, public ::testing::WithParamInterface<int> {
 protected:
  void fill(TestTable& table) {
    for (int i = 0; i < GetParam(); ++i) {
      table.insert({std::to_string(1000 + i), "filler " + std::to_string(i), "x"});
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, ConstraintsTest, ::testing::Values(0, 300, 6000));

TEST_P(ConstraintsTest, unique_values_and_keys_can_swap_within_a_write) {
  auto table = people();
  prepare(table);
  execute("alter table people add unique (name); insert into people values (1, 'a', 'l1'), (2, 'b', 'l2')");
  fill(table);
  // As one statement on a deferrable constraint at the source makes it: in no order is each step valid.
  table.update({"1", "b", kSame});
  table.update({"2", "a", kSame});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from people where id < 1000 order by id"), ElementsAre("1|b|l1", "2|a|l2"));
}

TEST_P(ConstraintsTest, keys_that_shift_by_one_do_not_collide) {
  auto table = people();
  prepare(table);
  execute("insert into people select i, 'n' || i, 'l' || i from generate_series(1, 20) i");
  fill(table);
  for (int i = 20; i >= 1; --i) {
    table.update({std::to_string(i + 1), "m" + std::to_string(i), kSame}, {std::to_string(i), kSame, kSame});
  }
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select count(*), min(id), max(id) from people where id < 1000 "
                   "and large = 'l' || (id - 1) and name = 'm' || (id - 1)"),
              ElementsAre("20|2|21"));
}

TEST_P(ConstraintsTest, another_row_is_never_touched_through_a_secondary_unique_index) {
  auto table = people();
  prepare(table);
  execute(
      "alter table people add constraint one_name unique (name); insert into people values (1, 'a', 'l1')");
  fill(table);
  table.insert({"2", "a", "l2"});
  const auto written = write({table.delivery()});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Error::Code::data);
  EXPECT_EQ(written.error().recovery, Recovery::halt);
  EXPECT_THAT(written.error().message, HasSubstr("public.people"));
  EXPECT_THAT(written.error().message, HasSubstr("one_name"));
  EXPECT_THAT(rows("select * from people"), ElementsAre("1|a|l1"));
}

TEST_P(ConstraintsTest, a_refused_value_is_an_error_that_names_table_and_column) {
  execute(
      "create table people (id int primary key, name varchar(3) check (name <> 'bad'), large text not null)");
  auto table = people();
  ASSERT_TRUE(destination->begin().ok());
  const auto prepared = destination->prepare(table.target);
  destination->rollback();
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Error::Code::invalid_config);
  EXPECT_THAT(prepared.error().message, HasSubstr("its column name is character varying(3)"));
  EXPECT_THAT(prepared.error().message, HasSubstr("its column large is NOT NULL"));

  fill(table);
  const auto expect_refused = [&](const Texts& row, const char* what) {
    auto one = people();
    if (GetParam() > 0) {
      for (int i = 0; i < GetParam(); ++i) one.insert({std::to_string(1000 + i), "f", "x"});
    }
    one.insert(row);
    const auto written = write({one.delivery()});
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Error::Code::data);
    EXPECT_THAT(written.error().message, HasSubstr("table public.people"));
    EXPECT_THAT(written.error().message, HasSubstr(what));
  };
  expect_refused({"1", "long", "x"}, "column name");
  expect_refused({"1", "bad", "x"}, "people_name_check");
  expect_refused({"1", "ok", std::nullopt}, "large");
  expect_refused({"1", std::string("a\0b", 3), "x"}, "name");
}

TEST_P(ConstraintsTest, a_column_that_only_the_destination_has_keeps_its_values) {
  auto table = people();
  prepare(table);
  execute(
      "alter table people add note text default 'none', add unique (name); "
      "insert into people values (1, 'a', 'l1', 'keep'), (2, 'b', 'l2', 'too')");
  fill(table);
  table.update({"1", "c", kSame});
  table.update({"3", "b", "moved"}, {"2", kSame, kSame});
  table.update({"3", "bb", "moved"});
  table.insert({"4", "d", "l4"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from people where id < 1000 order by id"),
              ElementsAre("1|c|l1|keep", "3|bb|moved|too", "4|d|l4|none"));
}

TEST_P(ConstraintsTest, identity_and_computed_columns_of_the_destination_are_respected) {
  execute(
      "create table people (id int generated always as identity primary key, name text, "
      "large text generated always as ('L' || name) stored)");
  auto table = people();
  auto schema = *table.target.schema;
  schema.columns[2].generated = true;
  table.target.schema = std::make_shared<TableSchema>(schema);
  table.restart();
  prepare(table);
  fill(table);
  table.insert({"7", "a", "La"});
  EXPECT_OK(write({table.delivery({.fresh = true})}));
  table.restart();
  fill(table);
  table.insert({"8", "b", "Lb"});
  table.update({"7", "aa", "Laa"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from people where id < 1000 order by id"), ElementsAre("7|aa|Laa", "8|b|Lb"));
  ASSERT_TRUE(destination->begin().ok());
  const TableTarget* targets[] = {&table.target};
  EXPECT_OK(destination->finish_snapshot(targets));
  EXPECT_OK(destination->commit(next_checkpoint()));
  EXPECT_THAT(rows("insert into people (name) values ('next') returning id"),
              ElementsAre(std::to_string(GetParam() == 0 ? 9 : 1000 + GetParam())));
}

TEST_P(ConstraintsTest, triggers_do_not_fire) {
  auto table = people();
  prepare(table);
  execute(
      "create function loud() returns trigger language plpgsql as $$ begin raise exception 'fired'; end $$; "
      "create trigger loud before insert or update or delete on people for each row execute function loud()");
  fill(table);
  table.insert({"1", "a", "l"});
  EXPECT_OK(write({table.delivery({.fresh = true})}));
  table.update({"1", "b", kSame});
  EXPECT_OK(write({table.delivery()}));
}

class KeylessTest : public ConstraintsTest {
 protected:
  TestTable table_{{"public", "log"},
                   {column_of("a", Type::of(TypeId::float64)), column_of("b", Type::of(TypeId::json))},
                   {}};
  void fill_log() {
    for (int i = 0; i < GetParam(); ++i) table_.insert({"1000", std::to_string(i)});
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, KeylessTest, ::testing::Values(0, 300, 6000));

TEST_P(KeylessTest, a_table_without_a_key_is_a_multiset) {
  prepare(table_);
  for (int i = 0; i < 3; ++i) table_.insert({"1", "{}"});
  table_.insert({"-0", std::nullopt});
  table_.insert({"0", std::nullopt});
  table_.insert({std::nullopt, "[]"});
  table_.insert({std::nullopt, "[]"});
  EXPECT_OK(write({table_.delivery({.fresh = true})}));
  table_.restart();
  fill_log();
  table_.remove({"1", "{}"});
  table_.remove({"-0", std::nullopt});
  table_.update({"2", kSame}, {"1", "{}"});
  table_.update({"3", "[]"}, {std::nullopt, "[]"});
  table_.insert({"4", "4"});
  table_.remove({"4", "4"});
  EXPECT_OK(write({table_.delivery()}));
  EXPECT_THAT(rows("select * from log where a is distinct from 1000 order by a, b::text"),
              ElementsAre("0|~", "1|{}", "2|{}", "3|[]", "~|[]"));
  table_.restart();
  fill_log();
  table_.remove({"1", "{}"});
  table_.remove({"1", "{}"});
  const auto written = write({table_.delivery()});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Error::Code::data);
  EXPECT_THAT(rows("select count(*) from log where a = 1"), ElementsAre("1"));
}

TEST_P(KeylessTest, a_partitioned_table_without_a_key_loses_the_right_row) {
  execute(
      "create table log (a float8, b json) partition by range (a); "
      "create table log_low partition of log for values from (minvalue) to (10); "
      "create table log_high partition of log for values from (10) to (maxvalue)");
  prepare(table_);
  fill_log();
  table_.insert({"1", "{}"});
  table_.insert({"20", "{}"});
  EXPECT_OK(write({table_.delivery({.fresh = true})}));
  table_.restart();
  fill_log();
  table_.remove({"20", "{}"});
  EXPECT_OK(write({table_.delivery()}));
  EXPECT_THAT(rows("select * from log where a < 1000"), ElementsAre("1|{}"));
}

/// Foreign keys that the server checks.
class ForeignKeysTest : public ConstraintsTest {
 protected:
  ForeignKeys foreign_keys() override { return ForeignKeys::check; }
  void SetUp() override {
    ConstraintsTest::SetUp();
    prepare(parent_);
    prepare(child_);
  }
  std::vector<Delivery> both() { return {child_.delivery(), parent_.delivery()}; }
  void insert_parent(const Texts& row) { parent_.change(Op::insert, row, {}, at_++); }

  TestTable parent_{
      {"public", "parent"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0}};
  TestTable child_{{"public", "child"},
                   {column_of("id", Type::of(TypeId::int32)), column_of("parent", Type::of(TypeId::int32))},
                   {0}};
  std::uint64_t at_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Sizes, ForeignKeysTest, ::testing::Values(0, 300, 6000));

TEST_P(ForeignKeysTest, parents_come_before_children_and_go_after_them) {
  execute("alter table child add foreign key (parent) references parent on delete cascade");
  insert_parent({"1", "one"});
  child_.change(Op::insert, {"1", "1"}, {}, at_++);
  insert_parent({"2", "two"});
  child_.change(Op::insert, {"2", "2"}, {}, at_++);
  for (int i = 0; i < GetParam(); ++i) {
    insert_parent({std::to_string(1000 + i), "x"});
    child_.change(Op::insert, {std::to_string(1000 + i), std::to_string(1000 + i)}, {}, at_++);
  }
  EXPECT_OK(write(both()));
  parent_.restart();
  child_.restart();
  child_.change(Op::update, {"1", "2"}, {}, at_++);
  parent_.change(Op::remove, {}, {"1", kSame}, at_++);
  for (int i = 0; i < GetParam(); ++i) {
    child_.change(Op::remove, {}, {std::to_string(1000 + i), kSame}, at_++);
    parent_.change(Op::remove, {}, {std::to_string(1000 + i), kSame}, at_++);
  }
  EXPECT_OK(write(both()));
  EXPECT_THAT(rows("select * from parent"), ElementsAre("2|two"));
  EXPECT_THAT(rows("select * from child order by id"), ElementsAre("1|2", "2|2"));
}

TEST_P(ForeignKeysTest, a_key_change_of_a_parent_reaches_its_children_and_keeps_them) {
  execute(
      "alter table child add foreign key (parent) references parent on update cascade on delete cascade; "
      "insert into parent values (1, 'one'); insert into child values (1, 1)");
  for (int i = 0; i < GetParam(); ++i) insert_parent({std::to_string(1000 + i), "x"});
  parent_.change(Op::update, {"9", "one"}, {"1", kSame}, at_++);
  child_.change(Op::update, {"1", "9"}, {}, at_++);
  EXPECT_OK(write(both()));
  EXPECT_THAT(rows("select * from parent where id < 1000"), ElementsAre("9|one"));
  EXPECT_THAT(rows("select * from child"), ElementsAre("1|9"));
}

TEST_P(ForeignKeysTest, tables_that_refer_to_each_other_are_written_in_the_source_order) {
  execute(
      "alter table child add foreign key (parent) references parent; "
      "alter table parent add child int references child; alter table parent drop child; "
      "alter table parent add foreign key (id) references child deferrable initially deferred");
  insert_parent({"1", "one"});
  child_.change(Op::insert, {"1", std::nullopt}, {}, at_++);
  child_.change(Op::update, {"1", "1"}, {}, at_++);
  for (int i = 0; i < GetParam(); ++i) {
    child_.change(Op::insert, {std::to_string(1000 + i), std::nullopt}, {}, at_++);
    insert_parent({std::to_string(1000 + i), "x"});
  }
  EXPECT_OK(write(both()));
  EXPECT_THAT(rows("select * from child where id = 1"), ElementsAre("1|1"));
}

TEST_P(ForeignKeysTest, a_violation_that_no_order_mends_is_an_error_that_names_the_constraint) {
  execute("alter table child add constraint has_parent foreign key (parent) references parent");
  for (int i = 0; i < GetParam(); ++i) insert_parent({std::to_string(1000 + i), "x"});
  child_.change(Op::insert, {"1", "77"}, {}, at_++);
  const auto written = write(both());
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Error::Code::data);
  EXPECT_THAT(written.error().message, HasSubstr("has_parent"));
  EXPECT_THAT(rows("select * from parent"), IsEmpty());
}

TEST_P(ForeignKeysTest, truncation_spares_tables_that_are_not_truncated) {
  execute(
      "create table other (id int primary key, parent int references parent on delete set null); "
      "insert into parent values (1, 'one'); insert into child values (1, 1); insert into other values (5, "
      "1)");
  ASSERT_TRUE(destination->begin().ok());
  const TableTarget* targets[] = {&parent_.target, &child_.target};
  EXPECT_OK(destination->truncate(targets, {.tables = {}, .cascade = true, .restart_identity = true}));
  EXPECT_OK(destination->commit(next_checkpoint()));
  EXPECT_THAT(rows("select * from parent union all select id, parent::text from child"), IsEmpty());
  EXPECT_THAT(rows("select * from other"), ElementsAre("5|~"));
}

}  // namespace
}  // namespace maia::postgres
