// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/destination.h"

#include <fmt/format.h>

#include "maia/connectors/mysql/destination_fixture.h"

namespace maia::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

INSTANTIATE_TEST_SUITE_P(Products, MysqlDestinationTest, both_products(), product_name);

TestTable orders() {
  return TestTable({"public", "orders"},
                   {column_of("id", Type::of(TypeId::int64)), column_of("state", Type::text()),
                    column_of("note", Type::text())},
                   {0});
}

TEST_P(MysqlDestinationTest, a_new_pipeline_has_an_empty_checkpoint_and_the_first_epoch) {
  EXPECT_EQ(opened.epoch.value, 1U);
  EXPECT_EQ(opened.checkpoint.sequence.value, 0U);
  EXPECT_TRUE(opened.checkpoint.position.empty());
  EXPECT_TRUE(opened.checkpoint.facts.empty());
}

TEST_P(MysqlDestinationTest, the_checkpoint_comes_back_as_it_was_committed) {
  const std::string bytes("\0\x01'\\\xff\n", 6);
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->commit(
      {.sequence = {7}, .position = {bytes}, .facts = {{"a'b", bytes}, {"gone", "x"}}, .seal = "s'\\ä"}));
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->commit(
      {.sequence = {8}, .position = {bytes}, .facts = {{"gone", std::nullopt}}, .seal = "s'\\ä"}));
  destination = open_destination();
  EXPECT_EQ(opened.epoch.value, 2U);
  EXPECT_EQ(opened.checkpoint.sequence.value, 8U);
  EXPECT_EQ(opened.checkpoint.position.token, bytes);
  EXPECT_EQ(opened.checkpoint.seal, "s'\\ä");
  EXPECT_EQ(opened.checkpoint.facts, (std::map<std::string, std::string>{{"a'b", bytes}}));
}

TEST_P(MysqlDestinationTest, an_older_run_cannot_commit_any_more) {
  auto table = orders();
  prepare(table);
  auto older = std::move(destination);
  ASSERT_TRUE(older->begin().ok());
  table.insert({"1", "old", "x"});
  ASSERT_TRUE(older->write(std::vector{table.delivery()}).ok());
  destination = open_destination();
  EXPECT_FALSE(older->commit({.sequence = {sequence + 1}, .position = {"p"}, .facts = {}}).ok());
  older->rollback();
  // Its session was ended; with a new one it finds that it is fenced.
  const auto again = older->open(database, Epoch{1});
  ASSERT_TRUE(again.ok()) << "the same process may take it again: " << again.error().message;
  EXPECT_THAT(rows("select count(*) from orders"), ElementsAre("0"));
}

TEST_P(MysqlDestinationTest, a_run_that_another_process_has_fenced_is_told_who) {
  execute(
      "update maia.checkpoint set epoch = epoch + 1, taken_by = 'process 1 on host elsewhere' where "
      "pipeline = '" +
      database + "'");
  ASSERT_TRUE(destination->begin().ok());
  const auto refused = destination->commit(next_checkpoint());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::fenced);
  EXPECT_THAT(refused.error().message, HasSubstr("elsewhere"));
  const auto again = destination->open(database, Epoch{1});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Error::Code::fenced);
}

TEST_P(MysqlDestinationTest, nothing_is_seen_before_the_commit_and_all_of_it_after) {
  auto table = orders();
  prepare(table);
  table.insert({"1", "new", "x"});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->write(std::vector{table.delivery()}));
  EXPECT_THAT(rows("select * from orders"), IsEmpty());
  EXPECT_OK(commit());
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|new|x"));
}

TEST_P(MysqlDestinationTest, a_rollback_leaves_nothing_and_the_session_usable) {
  auto table = orders();
  prepare(table);
  table.insert({"1", "new", "x"});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->write(std::vector{table.delivery()}));
  destination->rollback();
  EXPECT_THAT(rows("select * from orders"), IsEmpty());
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|new|x"));
}

TEST_P(MysqlDestinationTest, a_table_of_another_pipeline_is_refused) {
  auto table = orders();
  prepare(table);
  MysqlDestination other(config());
  ASSERT_TRUE(other.open("other of " + database).ok());
  ASSERT_TRUE(other.begin().ok());
  const auto refused = other.prepare(table.target);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("written by another pipeline"));
}

TEST_P(MysqlDestinationTest, drop_forgets_the_pipeline_and_keeps_the_rows) {
  auto table = orders();
  prepare(table);
  table.insert({"1", "new", "x"});
  EXPECT_OK(write({table.delivery()}));
  const auto removed = destination->drop(database);
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_THAT(*removed, ElementsAre("ownership of " + database + ".orders", "the checkpoint of " + database));
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|new|x"));
  const auto orphan = commit();
  ASSERT_FALSE(orphan.ok());
  EXPECT_EQ(orphan.error().reason, "checkpoint_removed");
}

/// Each test with few changes, which go row by row, and with so many that they go set-wise.
class MysqlChanges : public MysqlDestinationTest {
 protected:
  /// Rows of other keys that make the write a large one.
  void fill(TestTable& table) {
    for (int i = 1000; i < 1000 + filler; ++i) table.insert({std::to_string(i), "filler", "x"});
  }
  void in_both_sizes(const std::function<void()>& test) {
    for (const int size : {0, 300}) {
      filler = size;
      SCOPED_TRACE(size);
      execute("drop table if exists orders");
      prepare(orders());
      test();
    }
  }
  std::vector<std::string> found() { return rows("select * from orders where id < 1000 order by id"); }
  int filler = 0;
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlChanges, both_products(), product_name);

TEST_P(MysqlChanges, all_kinds_of_them_are_applied) {
  in_both_sizes([&] {
    auto table = orders();
    for (const auto* id : {"1", "2", "3", "4"}) table.insert({id, "new", "long " + std::string(id)});
    fill(table);
    ASSERT_TRUE(write({table.delivery()}).ok());
    table.restart();
    table.update({"1", "paid", kSame});
    table.remove({"2", kSame, kSame});
    table.update({"30", kSame, kSame}, {"3", kSame, kSame});
    table.update({"4", "sent", std::nullopt});
    table.insert({"5", "it's \\ new", "ä水🦆"});
    table.insert({"6", "gone again", ""});
    table.remove({"6", kSame, kSame});
    table.update({"1", "closed", kSame});
    fill(table);
    const auto written = write({table.delivery({.window = 2})});
    ASSERT_TRUE(written.ok()) << written.error().message;
    EXPECT_THAT(found(), ElementsAre("1|closed|long 1", "4|sent|~", "5|it's \\ new|ä水🦆", "30|new|long 3"));
  });
}

TEST_P(MysqlChanges, unique_values_and_keys_change_places_within_a_write) {
  in_both_sizes([&] {
    execute(
        "alter table orders modify state varchar(40) collate utf8mb4_bin, add unique (state(40)), add own "
        "int default 7");
    auto table = orders();
    table.insert({"1", "a", "one"});
    table.insert({"2", "b", "two"});
    table.insert({"3", "c", "three"});
    ASSERT_TRUE(write({table.delivery()}).ok());
    execute("update orders set own = id");
    table.restart();
    table.update({"1", "swap", kSame});
    table.update({"2", "a", kSame});
    table.update({"1", "b", kSame});
    for (int i = 0; i < filler; ++i) table.update({"3", "c" + std::to_string(i), kSame});
    const auto swapped = write({table.delivery({.window = 2})});
    ASSERT_TRUE(swapped.ok()) << swapped.error().message;
    EXPECT_THAT(rows("select id, state, note, own from orders order by id limit 2"),
                ElementsAre("1|b|one|1", "2|a|two|2"));
    table.restart();
    table.update({"9", kSame, kSame}, {"1", kSame, kSame});
    table.update({"1", kSame, kSame}, {"2", kSame, kSame});
    table.update({"2", kSame, kSame}, {"9", kSame, kSame});
    for (int i = 0; i < filler; ++i) table.update({"3", "d" + std::to_string(i), kSame});
    const auto moved = write({table.delivery({.window = 3})});
    ASSERT_TRUE(moved.ok()) << moved.error().message;
    EXPECT_THAT(rows("select id, state, note, own from orders order by id limit 2"),
                ElementsAre("1|a|two|2", "2|b|one|1"));
  });
}

TEST_P(MysqlChanges, another_row_is_never_touched_through_a_secondary_unique_index) {
  in_both_sizes([&] {
    execute("alter table orders modify state varchar(40) collate utf8mb4_bin, add unique (state)");
    execute("insert into orders values (500, 'taken', 'by hand')");
    auto table = orders();
    table.insert({"1", "taken", "x"});
    for (int i = 0; i < filler; ++i) table.insert({std::to_string(2000 + i), "f" + std::to_string(i), "x"});
    const auto refused = write({table.delivery()});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Error::Code::data);
    EXPECT_THAT(refused.error().message, HasSubstr("orders"));
    EXPECT_THAT(found(), ElementsAre("500|taken|by hand"));
  });
}

TEST_P(MysqlDestinationTest, rows_are_found_by_their_key_though_the_server_takes_the_table_for_empty) {
  prepare(orders());
  execute("alter table orders stats_persistent = 1, stats_auto_recalc = 0");
  execute("analyze table orders");
  const auto scanned = [&] {
    const auto line = rows("show global status like 'Handler_read_rnd_next'");
    return std::stoull(line.at(0).substr(line.at(0).find('|') + 1));
  };
  auto table = orders();
  constexpr int kRows = 2'000;
  for (int i = 0; i < kRows; ++i) table.insert({std::to_string(i), "new", "x"});
  ASSERT_TRUE(write({table.delivery({.fresh = true})}).ok());
  // Statistics are read again, as after a crash of the server.
  execute("update mysql.innodb_table_stats set n_rows = 0 where table_name = 'orders'");
  execute("flush tables orders");
  table.restart();
  for (int i = 0; i < kRows; ++i) table.update({std::to_string(i), "paid", kSame});
  const auto before = scanned();
  ASSERT_TRUE(write({table.delivery({.window = 2})}).ok());
  EXPECT_LT(scanned() - before, 100U * kRows) << "each of them reads the whole table";
  EXPECT_THAT(rows("select count(*) from orders where state = 'paid'"), ElementsAre("2000"));
}

TEST_P(MysqlChanges, a_row_that_lacks_values_and_is_missing_is_an_error_unless_converging) {
  in_both_sizes([&] {
    auto table = orders();
    table.update({"1", "paid", kSame});
    fill(table);
    const auto refused = write({table.delivery()});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Error::Code::data);
    EXPECT_THAT(refused.error().message, HasSubstr("there is no row to update for 1 change"));
    EXPECT_OK(write({table.delivery({.converging = true, .window = 2})}));
    EXPECT_THAT(found(), IsEmpty());
  });
}

TEST_P(MysqlChanges, foreign_keys_neither_stop_nor_cascade) {
  in_both_sizes([&] {
    execute("drop table if exists items");
    execute(
        "create table items (id int primary key, orders_id bigint references orders (id), "
        "foreign key (orders_id) references orders (id) on delete cascade)");
    TestTable items(
        {"", "items"},
        {column_of("id", Type::of(TypeId::int32)), column_of("orders_id", Type::of(TypeId::int64))}, {0});
    prepare(items);
    auto table = orders();
    items.insert({"1", "10"});
    table.insert({"10", "new", "x"});
    fill(table);
    EXPECT_OK(write({items.delivery(), table.delivery()}));
    table.restart();
    table.update({"11", "new", "x"}, {"10", kSame, kSame});
    items.restart();
    items.update({"1", "11"});
    fill(table);
    EXPECT_OK(write({table.delivery({.window = 2}), items.delivery({.window = 2})}));
    EXPECT_THAT(rows("select * from items"), ElementsAre("1|11"));
    execute("drop table items");
  });
}

TEST_P(MysqlDestinationTest, many_inserts_take_the_place_of_rows_that_somebody_has_put_there) {
  TestTable table({"", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0});
  prepare(table);
  for (int round = 0; round < 2; ++round) {
    execute(fmt::format("insert into t values ({}, 'theirs')", round * 100 + 50));
    table.restart();
    for (int i = 0; i < 100; ++i) table.insert({std::to_string(round * 100 + i), "ours"});
    EXPECT_OK(write({table.delivery({.window = static_cast<std::uint64_t>(round) + 1})}));
  }
  EXPECT_THAT(rows("select v, count(*) from t group by v"), ElementsAre("ours|200"));
}

TEST_P(MysqlDestinationTest, a_table_without_a_key_is_a_multiset) {
  TestTable log({"", "log"}, {column_of("a", Type::of(TypeId::int32)), column_of("b", Type::text())}, {});
  prepare(log);
  for (int i = 0; i < 3; ++i) log.insert({"1", "x"});
  log.insert({std::nullopt, std::nullopt});
  log.insert({std::nullopt, std::nullopt});
  log.insert({"1", "X"});
  EXPECT_OK(write({log.delivery()}));
  log.restart();
  log.remove({"1", "x"});
  log.update({"2", "y"}, {std::nullopt, std::nullopt});
  EXPECT_OK(write({log.delivery({.window = 2})}));
  EXPECT_THAT(rows("select * from log order by a, b"), ElementsAre("~|~", "1|X", "1|x", "1|x", "2|y"));
}

TEST_P(MysqlDestinationTest, an_append_target_takes_every_row_without_looking_anything_up) {
  auto table = orders();
  table.target.mode = TableTarget::Mode::append;
  prepare(table);
  table.insert({"1", "new", "x"});
  table.insert({"1", "paid", "x"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select * from orders order by state"), ElementsAre("1|new|x", "1|paid|x"));
}

TEST_P(MysqlDestinationTest, a_truncation_is_part_of_the_transaction) {
  auto table = orders();
  prepare(table);
  table.insert({"1", "new", "x"});
  EXPECT_OK(write({table.delivery()}));
  const TableTarget* targets[] = {&table.target};
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->truncate(targets, {}));
  destination->rollback();
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|new|x"));
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->truncate(targets, {}));
  EXPECT_OK(commit());
  EXPECT_THAT(rows("select * from orders"), IsEmpty());
}

TEST_P(MysqlDestinationTest, a_later_window_comes_after_an_earlier_one_whatever_its_ordinals) {
  auto first = orders(), second = orders();
  prepare(first);
  first.ordinal = 100;
  first.insert({"1", "first", "x"});
  second.update({"1", "second", kSame});
  EXPECT_OK(write({first.delivery({.window = 1}), second.delivery({.window = 2})}));
  EXPECT_THAT(rows("select * from orders"), ElementsAre("1|second|x"));
}

}  // namespace
}  // namespace maia::mysql
