// SPDX-License-Identifier: Apache-2.0
// Tables of the destination: made, verified, altered; and values of every type at their edges.
#include <fmt/format.h>

#include <functional>

#include "maia/connectors/mysql/destination.h"
#include "maia/connectors/mysql/destination_fixture.h"

namespace maia::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = ColumnChange::Kind;

class MysqlTables : public MysqlDestinationTest {
 protected:
  Status alter(const TestTable& before, const TestTable& after, std::vector<ColumnChange> steps) {
    return destination->alter(before.target, after.target,
                              {.before = before.target.schema,
                               .after = after.target.schema,
                               .columns = std::move(steps),
                               .ordinal = after.ordinal});
  }
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlTables, both_products(), product_name);

Type varchar(std::uint16_t characters) {
  auto type = Type::text();
  type.precision = characters;
  return type;
}

TEST_P(MysqlTables, are_made_with_their_types_nullability_and_key) {
  TestTable table({"public", "wide"},
                  {column_of("id", Type::of(TypeId::int64)), column_of("code", varchar(10)),
                   column_of("name", Type::text()), column_of("price", Type::decimal(10, 2)),
                   column_of("any", Type::decimal(0, 0)), column_of("at", Type::of(TypeId::timestamp_tz))},
                  {0, 2});
  prepare(table);
  EXPECT_THAT(
      rows("select column_name, upper(column_type), is_nullable from information_schema.columns where "
           "table_schema = database() and table_name = 'wide' order by ordinal_position"),
      ElementsAre(::testing::StartsWith("id|BIGINT"), "code|VARCHAR(10)|YES", "name|VARCHAR(760)|NO",
                  "price|DECIMAL(10,2)|YES", "any|LONGTEXT|YES", "at|DATETIME(6)|YES"));
  EXPECT_THAT(
      rows("select column_name from information_schema.statistics where table_schema = database() and "
           "index_name = 'PRIMARY' order by seq_in_index"),
      ElementsAre("id", "name"));
  // Once more, as after a restart.
  prepare(table);
}

TEST_P(MysqlTables, hold_text_keys_that_differ_in_case_or_blanks_only) {
  TestTable table({"", "words"}, {column_of("word", Type::text()), column_of("n", Type::of(TypeId::int32))},
                  {0});
  prepare(table);
  const std::vector<std::string> words{"a", "A", "a ", "ä", "a\xcc\x88", "", " ", std::string("a\0", 2),
                                       "🦆"};
  for (const auto& word : words) table.insert({word, "1"});
  EXPECT_OK(write({table.delivery()}));
  table.restart();
  for (const auto& word : words) table.update({word, "2"});
  for (int i = 0; i < 50; ++i) table.insert({"more " + std::to_string(i), "3"});
  EXPECT_OK(write({table.delivery({.window = 2})}));
  EXPECT_THAT(rows("select count(*) from words where n = 2"), ElementsAre(std::to_string(words.size())));
}

TEST_P(MysqlTables, hostile_names_are_databases_tables_and_columns) {
  const std::vector<std::string> names{"a`b",   "select", "a.b", "it's",       "back\\slash", "semi;colon",
                                       "-- no", "/* no",  "ä水", "maia_group", "a\"b",        "%s{}"};
  for (const auto& name : names) {
    TestTable table({database + name, name},
                    {column_of(name, Type::of(TypeId::int32)), column_of("b " + name + "x", Type::text())},
                    {0});
    prepare(table);
    table.insert({"1", "one"});
    for (int i = 10; i < 40; ++i) table.insert({std::to_string(i), "many"});
    EXPECT_OK(write({table.delivery()}));
    table.restart();
    table.update({"2", kSame}, {"1", kSame});
    for (int i = 10; i < 40; ++i) table.update({std::to_string(i), "changed"});
    EXPECT_OK(write({table.delivery({.window = 2})}));
  }
  TestTable beyond({"", "duck🦆"}, {column_of("id", Type::of(TypeId::int32))}, {0});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_FALSE(destination->prepare(beyond.target).ok());
  destination->rollback();
}

TEST_P(MysqlTables, that_are_there_are_taken_if_they_fit_and_explained_if_not) {
  execute(
      "create table good (id int primary key auto_increment, name mediumtext, added timestamp default "
      "current_timestamp) engine = InnoDB;"
      "create table bad (id varchar(20) collate utf8mb4_general_ci primary key, name varchar(3), must int "
      "not "
      "null) engine = InnoDB; create table isam (id int primary key, name text) engine = MyISAM");
  const std::vector<Column> columns{column_of("id", Type::of(TypeId::int32)),
                                    column_of("name", Type::text())};
  prepare(TestTable({"", "good"}, columns, {0}));
  const auto refused = [&](const TestTable& table) {
    EXPECT_TRUE(destination->begin().ok());
    const auto prepared = destination->prepare(table.target);
    destination->rollback();
    return prepared.ok() ? std::string() : prepared.error().message;
  };
  const auto why =
      refused(TestTable({"", "bad"}, {column_of("id", Type::text()), column_of("name", varchar(5))}, {0}));
  EXPECT_THAT(why, HasSubstr("by which rows are found, has the collation utf8mb4_general_ci"));
  EXPECT_THAT(why, HasSubstr("name is varchar(3), which does not hold"));
  EXPECT_THAT(why, HasSubstr("must is NOT NULL without a default"));
  EXPECT_THAT(refused(TestTable({"", "isam"}, columns, {0})), HasSubstr("MyISAM knows no transactions"));
}

TEST_P(MysqlTables, columns_are_added_dropped_renamed_swapped_and_retyped_together) {
  TestTable before(
      {"", "t"},
      {column_of("id", Type::of(TypeId::int32)), column_of("a", Type::text()), column_of("b", Type::text()),
       column_of("n", Type::of(TypeId::int32)), column_of("gone", Type::text())},
      {0});
  prepare(before);
  before.insert({"1", "A", "B", "7", "x"});
  EXPECT_OK(write({before.delivery()}));
  TestTable after({"", "renamed"},
                  {column_of("id", Type::of(TypeId::int64)), column_of("b", Type::text()),
                   column_of("a", Type::text()), column_of("n", Type::of(TypeId::int64)),
                   column_of("more", Type::text()), column_of("gone", Type::of(TypeId::int32))},
                  {0}, 2);
  ASSERT_TRUE(destination->begin().ok());
  const std::vector<ColumnChange> steps{
      {.kind = Kind::drop, .column = "gone", .old_name = {}},
      {.kind = Kind::rename, .column = "b", .old_name = "a"},
      {.kind = Kind::rename, .column = "a", .old_name = "b"},
      {.kind = Kind::retype, .column = "n", .old_name = {}},
      {.kind = Kind::retype, .column = "id", .old_name = {}},
      {.kind = Kind::add, .column = "more", .old_name = {}, .existing_rows = "it's"},
      {.kind = Kind::add, .column = "gone", .old_name = {}}};
  const auto altered = alter(before, after, steps);
  ASSERT_TRUE(altered.ok()) << altered.error().message;
  after.insert({"5000000000", "b", "a", "6000000000", std::nullopt, "3"});
  EXPECT_OK(destination->write(std::vector{after.delivery({.window = 2})}));
  EXPECT_OK(commit());
  const std::vector<std::string> outcome{"1|A|B|7|it's|~", "5000000000|b|a|6000000000|~|3"};
  EXPECT_EQ(rows("select id, b, a, n, more, gone from renamed order by id"), outcome);
  // Again, as a delivery that was cut off behind it comes again: the names are not swapped back.
  ASSERT_TRUE(destination->begin().ok());
  const auto again = alter(before, after, steps);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_OK(commit());
  EXPECT_EQ(rows("select id, b, a, n, more, gone from renamed order by id"), outcome);
}

TEST_P(MysqlTables, a_type_that_rows_cannot_be_changed_to_exactly_is_refused) {
  TestTable before({"", "t"},
                   {column_of("id", Type::of(TypeId::int32)), column_of("at", Type::of(TypeId::timestamp))},
                   {0});
  prepare(before);
  TestTable after(
      {"", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("at", Type::of(TypeId::date))}, {0}, 2);
  ASSERT_TRUE(destination->begin().ok());
  const auto altered = alter(before, after, {{.kind = Kind::retype, .column = "at", .old_name = {}}});
  ASSERT_FALSE(altered.ok());
  EXPECT_THAT(altered.error().message, HasSubstr("column at"));
  destination->rollback();
}

TEST_P(MysqlTables, the_key_changes_and_its_texts_get_a_length) {
  TestTable before({"", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("name", Type::text())},
                   {0});
  prepare(before);
  before.insert({"1", "one"});
  EXPECT_OK(write({before.delivery()}));
  auto columns = std::vector{column_of("id", Type::of(TypeId::int32)), column_of("name", Type::text())};
  columns[0].nullable = false;
  TestTable after({"", "t"}, columns, {1}, 2);
  ASSERT_TRUE(destination->begin().ok());
  const auto altered = alter(before, after, {{.kind = Kind::key, .column = "", .old_name = {}}});
  ASSERT_TRUE(altered.ok()) << altered.error().message;
  after.update({"2", "one"});
  EXPECT_OK(destination->write(std::vector{after.delivery({.window = 2})}));
  EXPECT_OK(commit());
  EXPECT_THAT(rows("select * from t"), ElementsAre("2|one"));
}

/// What is delivered twice around an alteration that was cut off, as the engine does after a kill.
TEST_P(MysqlTables, rows_before_an_alteration_are_written_once_though_the_alteration_commits_them) {
  TestTable before({"", "log"}, {column_of("n", Type::of(TypeId::int32))}, {});
  before.target.mode = TableTarget::Mode::append;
  TestTable other({"", "other"}, {column_of("n", Type::of(TypeId::int32))}, {});
  other.target.mode = TableTarget::Mode::append;
  prepare(before);
  prepare(other);
  TestTable after({"", "log"},
                  {column_of("n", Type::of(TypeId::int32)), column_of("m", Type::of(TypeId::int32))}, {}, 2);
  after.target.mode = TableTarget::Mode::append;
  other.insert({"100"});
  before.insert({"1"});
  before.insert({"2"});
  after.ordinal = 10;
  after.insert({"3", "33"});
  const TableTarget* truncated[] = {&before.target};
  const auto deliver = [&](bool truncates) {
    ASSERT_TRUE(destination->begin().ok());
    if (truncates) EXPECT_OK(destination->truncate(truncated, {}));
    EXPECT_OK(destination->write(std::vector{other.delivery({.window = 4}), before.delivery({.window = 5})}));
    EXPECT_OK(alter(before, after, {{.kind = Kind::add, .column = "m", .old_name = {}}}));
    EXPECT_OK(destination->write(std::vector{after.delivery({.window = 5})}));
  };
  sequence = 4;
  deliver(true);
  destination->rollback();  // as after an error of the last write
  EXPECT_THAT(rows("select n, m from log order by n"), ElementsAre("1|~", "2|~"));
  deliver(true);
  destination = open_destination(opened.epoch);  // as after a lost connection
  EXPECT_EQ(opened.checkpoint.sequence.value, 2U);
  deliver(true);
  EXPECT_OK(commit());
  EXPECT_THAT(rows("select n, m from log order by n"), ElementsAre("1|~", "2|~", "3|33"));
  EXPECT_THAT(rows("select n from other"), ElementsAre("100"));
  EXPECT_THAT(rows("select table_name from maia.owner where applied_window > 0"), IsEmpty());
  // Nothing of it stays to cut what comes later.
  after.restart();
  after.insert({"4", "44"});
  EXPECT_OK(write({after.delivery({.window = 6})}));
  EXPECT_THAT(rows("select count(*) from log"), ElementsAre("4"));
}

struct Case {
  std::string name;
  Type type;
  std::vector<std::string> values;
  std::string read = "{}";  ///< as canonical text
};

std::vector<Case> cases() {
  return {
      {"boolean", Type::of(TypeId::boolean), {"t", "f"}, "if({} = 1, 't', 'f')"},
      {"int16", Type::of(TypeId::int16), {"-32768", "0", "32767"}},
      {"int32", Type::of(TypeId::int32), {"-2147483648", "2147483647"}},
      {"int64", Type::of(TypeId::int64), {"-9223372036854775808", "9223372036854775807", "0"}},
      {"decimal", Type::decimal(38, 10), {"-9999999999999999999999999999.9999999999", "0.0000000001"}},
      {"small", Type::decimal(3, 5), {"0.00123", "-0.00999"}},
      {"deep", Type::decimal(38, 38), {"0.12345678901234567890123456789012345678"}},
      {"any", Type::decimal(0, 0), {"-12.50", "1" + std::string(100, '0'), "NaN"}},
      {"text", Type::text(), {"", " ", "it's", "\\", "a\nb\t", std::string("\0x", 2), "ä水🦆", "NULL", "%_"}},
      {"varchar", varchar(3), {"äöü", "a  ", "🦆🦆🦆"}},
      {"bytes",
       Type::of(TypeId::bytes),
       {"\\x", "\\x00", "\\xff27005c22c3"},
       "concat('\\\\x', lower(hex({})))"},
      {"date", Type::of(TypeId::date), {"0001-01-01", "1582-10-10", "2024-02-29", "9999-12-31"}},
      {"time", Type::of(TypeId::time), {"00:00:00", "23:59:59.999999", "24:00:00"}, "{}"},
      {"timestamp",
       Type::of(TypeId::timestamp),
       {"0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999"}},
      {"instant", Type::of(TypeId::timestamp_tz), {"2026-03-29 01:30:00.123456+00"}, "concat({}, '+00')"},
      {"interval", Type::of(TypeId::interval), {"P1Y2M-3DT4H5M6.5S", "PT0S"}},
      {"uuid",
       Type::of(TypeId::uuid),
       {"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {"json", Type::of(TypeId::json), {"{\"b\":1.0, \"a\": 12345678901234567890, \"b\":2}"}},
      {"array", Type::array_of(Type::text()), {"{1,NULL,\"a b\"}"}},
      {"inet", Type::text("inet"), {"10.0.0.1/8"}},
  };
}

TEST_P(MysqlTables, values_of_all_types_arrive_exactly_one_by_one_and_in_bulk) {
  std::vector<Column> columns{column_of("id", Type::of(TypeId::int32))};
  for (const auto& each : cases()) columns.push_back(column_of(each.name, each.type));
  TestTable table({"", "types"}, columns, {0});
  prepare(table);
  std::size_t longest = 0;
  for (const auto& each : cases()) longest = std::max(longest, each.values.size());
  const auto row = [&](std::size_t number, std::size_t id) {
    Texts texts{std::to_string(id)};
    for (const auto& each : cases())
      texts.push_back(number < each.values.size() ? std::optional(each.values[number]) : std::nullopt);
    return texts;
  };
  for (std::size_t i = 0; i < longest; ++i) table.insert(row(i, i));
  EXPECT_OK(write({table.delivery()}));
  table.restart();
  for (std::size_t i = 0; i < longest * 10; ++i) table.insert(row(i % longest, 1000 + i));
  EXPECT_OK(write({table.delivery({.window = 2})}));
  for (const auto& each : cases()) {
    for (std::size_t i = 0; i < each.values.size(); ++i) {
      const auto read = fmt::format(fmt::runtime(each.read), "`" + each.name + "`");
      const auto there = rows(
          fmt::format("select distinct {} from types where id = {} or id >= 1000 and (id - 1000) % {} = {}",
                      read, i, longest, i));
      ASSERT_EQ(there.size(), 1U) << each.name;
      auto wanted = each.values[i];
      const bool has_fraction = each.name == "time" || each.name == "timestamp";
      if (has_fraction && wanted.find('.') == wanted.npos) wanted += ".000000";
      EXPECT_EQ(there[0], wanted) << each.name;
    }
  }
}

TEST_P(MysqlTables, floating_point_numbers_keep_every_bit) {
  TestTable table({"", "floats"},
                  {column_of("id", Type::of(TypeId::int32)), column_of("f", Type::of(TypeId::float32)),
                   column_of("d", Type::of(TypeId::float64))},
                  {0});
  prepare(table);
  const std::vector<std::pair<std::string, std::string>> values{{"0.1", "0.1"},
                                                                {"-0", "-0"},
                                                                {"3.4028235e+38", "1.7976931348623157e+308"},
                                                                {"1e-45", "5e-324"},
                                                                {"16777216", "9007199254740993"},
                                                                {"1.1754944e-38", "2.2250738585072014e-308"}};
  for (std::size_t i = 0; i < values.size(); ++i)
    table.insert({std::to_string(i), values[i].first, values[i].second});
  EXPECT_OK(write({table.delivery()}));
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Through a cast to double, which prints all digits of a float.
    const auto there =
        server().query(fmt::format("select f + 0e0, d from floats where id = {}", i), database).value()[0];
    EXPECT_EQ(static_cast<float>(std::strtod(there[0]->c_str(), nullptr)),
              std::strtof(values[i].first.c_str(), nullptr))
        << values[i].first;
    EXPECT_EQ(std::strtod(there[1]->c_str(), nullptr), std::strtod(values[i].second.c_str(), nullptr))
        << values[i].second;
  }
}

TEST_P(MysqlTables, a_value_beyond_its_column_is_refused_by_name_and_never_bent) {
  execute("create table narrow (id int primary key, n tinyint, v varchar(3), t text) engine = InnoDB");
  const std::vector<std::pair<Type, std::string>> beyond{
      {Type::of(TypeId::date), "infinity"},
      {Type::of(TypeId::date), "0044-03-15 BC"},
      {Type::of(TypeId::timestamp), "10000-01-01 00:00:00"},
      {Type::of(TypeId::timestamp_tz), "-infinity"},
      {Type::of(TypeId::float64), "NaN"},
      {Type::of(TypeId::float32), "Infinity"},
      {Type::decimal(10, 2), "NaN"}};
  for (const auto& [type, value] : beyond) {
    TestTable table({"", "beyond"}, {column_of("id", Type::of(TypeId::int32)), column_of("odd", type)}, {0});
    execute("drop table if exists beyond");
    prepare(table);
    table.insert({"1", value});
    const auto refused = write({table.delivery()});
    ASSERT_FALSE(refused.ok()) << value;
    EXPECT_EQ(refused.error().code, Error::Code::data);
    EXPECT_THAT(refused.error().message, HasSubstr("column odd"));
  }
  // A key that the index cannot hold, with blanks at its end, which the server would cut without a word.
  TestTable keys({"", "long_keys"}, {column_of("key", Type::text())}, {0});
  prepare(keys);
  keys.insert({std::string(767, 'x') + "ä"});
  EXPECT_OK(write({keys.delivery()}));
  keys.restart();
  keys.insert({std::string(768, 'x') + " "});
  const auto refused = write({keys.delivery({.window = 2})});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("longer than the 768 characters"));
}

TEST_P(MysqlTables, the_plan_says_how_each_column_is_stored) {
  TestTable table({"", "t"},
                  {column_of("id", Type::of(TypeId::int32)), column_of("doc", Type::of(TypeId::json))}, {0});
  const auto plan = destination->plan(*table.target.schema);
  EXPECT_EQ(plan[0].native_type, "INT");
  EXPECT_EQ(plan[0].fidelity, Fidelity::exact);
  EXPECT_EQ(plan[1].native_type, "LONGTEXT");
  EXPECT_EQ(plan[1].fidelity, Fidelity::as_text);
}

}  // namespace
}  // namespace maia::mysql
