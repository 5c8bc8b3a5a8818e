// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/destination_fixture.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TestTable orders() {
  return TestTable({"public", "orders"},
                   {column_of("id", Type::of(TypeId::int64)), column_of("note", Type::text()),
                    column_of("amount", Type::decimal(10, 2))},
                   {0});
}

class PostgresDestinationTest : public DestinationTest {};

TEST_F(PostgresDestinationTest, a_new_pipeline_has_an_empty_checkpoint_and_the_first_epoch) {
  EXPECT_EQ(opened.epoch.value, 1u);
  EXPECT_EQ(opened.checkpoint.sequence.value, 0u);
  EXPECT_TRUE(opened.checkpoint.position.empty());
  EXPECT_THAT(opened.checkpoint.facts, IsEmpty());
}

TEST_F(PostgresDestinationTest, the_checkpoint_comes_back_as_it_was_committed) {
  const std::string bytes("\0\x01\xff'\\", 5);
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->commit({{7}, {bytes}, {{"a", bytes}, {"b", ""}, {"c", "gone"}}}));
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->commit({{9}, {bytes + "2"}, {{"c", std::nullopt}, {"b", "new"}}}));
  destination = open_destination();
  EXPECT_EQ(opened.epoch.value, 2u);
  EXPECT_EQ(opened.checkpoint.sequence.value, 9u);
  EXPECT_EQ(opened.checkpoint.position.token, bytes + "2");
  EXPECT_EQ(opened.checkpoint.facts, (std::map<std::string, std::string>{{"a", bytes}, {"b", "new"}}));
}

TEST_F(PostgresDestinationTest, an_older_run_cannot_commit_any_more) {
  auto table = orders();
  prepare(table);
  ASSERT_TRUE(destination->begin().ok());
  table.insert({"1", "old run", "1.00"});
  EXPECT_OK(destination->write(std::vector{table.delivery({.fresh = true})}));
  auto old_run = std::move(destination);
  const auto old_epoch = opened.epoch;
  destination = open_destination();
  // The newer run has ended the transaction of the older one, whose session therefore breaks. It may open
  // another one, but takes up no epoch but its own, which is gone.
  const auto committed = old_run->commit(next_checkpoint());
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().recovery, Recovery::reconnect) << committed.error().message;
  old_run = std::make_unique<PostgresDestination>(config_for(server(), database, foreign_keys()));
  execute("update maia.checkpoint set taken_by = 'another process'");
  const auto reopened = old_run->open("p", old_epoch);
  ASSERT_FALSE(reopened.ok());
  EXPECT_EQ(reopened.error().code, Error::Code::fenced) << reopened.error().message;
  EXPECT_EQ(reopened.error().recovery, Recovery::halt);
  EXPECT_THAT(rows("select * from orders"), IsEmpty());
}

TEST_F(PostgresDestinationTest, a_run_is_not_fenced_by_an_epoch_that_it_took_without_hearing_of_it) {
  const auto heard = opened.epoch;
  destination = open_destination();
  PostgresDestination again(config_for(server(), database, foreign_keys()));
  const auto reopened = again.open("p", heard);
  ASSERT_TRUE(reopened.ok()) << reopened.error().message;
  EXPECT_EQ(reopened->epoch.value, heard.value + 2);
}

TEST_F(PostgresDestinationTest, nothing_is_seen_before_the_commit_and_all_of_it_after) {
  auto table = orders();
  prepare(table);
  ASSERT_TRUE(destination->begin().ok());
  table.insert({"1", "one", "1.50"});
  table.insert({"2", std::nullopt, "-0.01"});
  EXPECT_OK(destination->write(std::vector{table.delivery({.fresh = true})}));
  EXPECT_THAT(rows("select * from orders"), IsEmpty());
  EXPECT_OK(destination->commit(next_checkpoint()));
  EXPECT_THAT(rows("select * from orders order by id"), ElementsAre("1|one|1.50", "2|~|-0.01"));
}

TEST_F(PostgresDestinationTest, a_rollback_leaves_nothing_and_the_session_usable) {
  auto table = orders();
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->prepare(table.target));
  table.insert({"1", "one", "1.50"});
  EXPECT_OK(destination->write(std::vector{table.delivery()}));
  destination->rollback();
  EXPECT_THAT(rows("select to_regclass('orders') is null"), ElementsAre("t"));
  prepare(table);
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|one|1.50"));
}

TEST_F(PostgresDestinationTest, a_table_is_made_with_its_types_nullability_and_key) {
  auto table = orders();
  prepare(table);
  EXPECT_THAT(rows("select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
                   "where attrelid = 'orders'::regclass and attnum > 0 order by attnum"),
              ElementsAre("id|bigint|t", "note|text|f", "amount|numeric(10,2)|f"));
  EXPECT_THAT(rows("select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'orders'::regclass"),
              ElementsAre("PRIMARY KEY (id)"));
}

/// Small writes go row by row, larger ones by arrays, large ones through a staging table; all have to come to
/// the same.
void change_much(TestTable& table, int filler) {
  for (int i = 0; i < filler; ++i) table.insert({std::to_string(100 + i), "filler", "0.00"});
  table.insert({"3", "three", "3.00"});
  table.update({"1", "uno", "1.10"});
  table.update({"2", kSame, "2.20"});
  table.update({"5", kSame, "4.40"}, {"4", kSame, kSame});
  table.remove({"6", kSame, kSame});
  table.update({"1", "eins", "1.11"});
  table.insert({"7", "seven", std::nullopt});
  table.remove({"7", kSame, kSame});
}

TEST_F(PostgresDestinationTest, all_kinds_of_changes_are_applied_by_each_way) {
  for (const int filler : {0, 500, 6000}) {
    auto table = orders();
    execute("drop table if exists orders");
    prepare(table);
    for (const auto* id : {"1", "2", "4", "6"}) table.insert({id, std::string("old ") + id, "0.00"});
    EXPECT_OK(write({table.delivery({.fresh = true})}));
    table.restart();
    change_much(table, filler);
    EXPECT_OK(write({table.delivery()}));
    EXPECT_THAT(rows("select * from orders where id < 100 order by id"),
                ElementsAre("1|eins|1.11", "2|old 2|2.20", "3|three|3.00", "5|old 4|4.40"));
    EXPECT_THAT(rows("select count(*) from orders where id >= 100"), ElementsAre(std::to_string(filler)));
  }
}

TEST_F(PostgresDestinationTest, many_inserts_are_loaded_right_into_the_table_unless_they_meet_rows) {
  constexpr std::string_view kStages = "select count(*) from pg_class where relname like 'maia_stage%'";
  constexpr int kRows = 5'000;
  auto table = orders();
  prepare(table);
  const auto insert = [&](int first, const char* note) {
    table.restart();
    for (int i = 0; i < kRows; ++i) table.insert({std::to_string(first + i), note, "1.00"});
    return write({table.delivery()});
  };
  EXPECT_OK(insert(0, "new"));
  EXPECT_THAT(rows(kStages), ElementsAre("0"));
  EXPECT_OK(insert(kRows - 1, "newer"));
  EXPECT_THAT(rows(kStages), ElementsAre("1"));
  EXPECT_OK(insert(2 * kRows, "last"));
  EXPECT_THAT(rows("select note, count(*) from orders group by note order by note"),
              ElementsAre("last|5000", "new|4999", "newer|5000"));
}

TEST_F(PostgresDestinationTest, a_row_that_lacks_values_and_is_missing_is_an_error_unless_converging) {
  for (const int filler : {0, 500, 6000}) {
    auto table = orders();
    execute("drop table if exists orders");
    prepare(table);
    for (int i = 0; i < filler; ++i) table.insert({std::to_string(100 + i), "filler", "0.00"});
    table.update({"2", kSame, "2.20"});
    const auto written = write({table.delivery()});
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Error::Code::data);
    EXPECT_THAT(written.error().message, HasSubstr("public.orders"));
    EXPECT_OK(write({table.delivery({.converging = true})}));
    EXPECT_THAT(rows("select * from orders where id < 100"), IsEmpty());
  }
}

TEST_F(PostgresDestinationTest, a_later_window_comes_after_an_earlier_one_whatever_its_ordinals) {
  auto earlier = orders();
  prepare(earlier);
  earlier.insert({"1", "first", "0.00"});
  earlier.update({"1", "second", "0.00"});
  auto later = orders();
  later.update({"1", "third", "0.00"});
  later.target = earlier.target;
  auto first = earlier.delivery();
  auto second = later.delivery();
  first.target = second.target = &earlier.target;
  first.window = 7;
  second.window = 8;
  EXPECT_OK(write({first, second}));
  EXPECT_THAT(rows("select note from orders"), ElementsAre("third"));
}

TEST_F(PostgresDestinationTest, a_table_of_another_pipeline_is_refused) {
  auto table = orders();
  prepare(table);
  auto other = open_destination("other");
  ASSERT_TRUE(other->begin().ok());
  const auto prepared = other->prepare(table.target);
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Error::Code::invalid_config);
  EXPECT_THAT(prepared.error().message, HasSubstr("another pipeline, p"));
}

}  // namespace
}  // namespace maia::postgres
