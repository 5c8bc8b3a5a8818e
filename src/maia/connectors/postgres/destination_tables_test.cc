// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination_tables.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "maia/connectors/postgres/destination_fixture.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = ColumnChange::Kind;

class TablesTest : public DestinationTest {
 protected:
  /// The error of preparing a table; empty if there was none.
  std::string prepare_error(const TestTable& table) {
    EXPECT_TRUE(destination->begin().ok());
    const auto prepared = destination->prepare(table.target);
    destination->rollback();
    EXPECT_TRUE(prepared.ok() || prepared.error().code == Error::Code::invalid_config);
    return prepared.ok() ? "" : prepared.error().message;
  }
  Status alter(const TestTable& before, const TestTable& after, std::vector<ColumnChange> columns) {
    if (auto begun = destination->begin(); !begun.ok()) return begun;
    auto altered = destination->alter(
        before.target, after.target,
        {.before = before.target.schema, .after = after.target.schema, .columns = std::move(columns)});
    if (altered.ok()) altered = destination->commit(next_checkpoint());
    if (!altered.ok()) {
      destination->rollback();
      --sequence;
    }
    return altered;
  }
  std::vector<std::string> shape(const std::string& table) {
    return rows(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = '" +
        table + "'::regclass and attnum > 0 and not attisdropped order by attname");
  }
};

TestTable simple(std::string name = "t") {
  return TestTable({"public", std::move(name)},
                   {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0});
}

/// Valid UTF-8 of at most 63 bytes, full of what quoting must get right.
std::set<std::string> hostile_names(std::size_t count) {
  const std::vector<std::string> pieces = {
      "\"", "'",  "\\",     "\n",   "\t", ";", "--",   "/*",   " ", ".", "$1", "$$", "%s", "{}",  "ä",
      "水", "🦆", "select", "maia", "A",  "a", "\x01", "\x7f", "(", ")", ",",  "=",  "E'", "U&\""};
  std::mt19937 random(42);
  std::set<std::string> names = {std::string(63, 'x'),
                                 std::string(62, 'x') + "\"",
                                 "\"",
                                 "maia_group",
                                 "maia_old_0",
                                 "ctid_",
                                 "row",
                                 "times",
                                 "t",
                                 "s",
                                 "excluded"};
  while (names.size() < count) {
    std::string name;
    const auto length = 1 + random() % 63;
    while (true) {
      const auto& piece = pieces[random() % pieces.size()];
      if (name.size() + piece.size() > length) break;
      name += piece;
    }
    if (!name.empty()) names.insert(name);
  }
  return names;
}

TEST_F(TablesTest, five_hundred_hostile_names_are_schemas_tables_and_columns) {
  std::vector<std::string> names;
  for (const auto& name : hostile_names(500)) names.push_back(name);
  std::vector<std::unique_ptr<TestTable>> tables;
  ASSERT_TRUE(destination->begin().ok());
  std::vector<Delivery> inserts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    tables.push_back(std::make_unique<TestTable>(
        TableName{"schema " + names[i % 7], names[i]},
        std::vector<Column>{column_of(names[(i + 1) % names.size()], Type::of(TypeId::int32)),
                            column_of(names[i], Type::text()), column_of("maia_group_", Type::text())},
        std::vector<std::size_t>{0}));
    if (auto& table = *tables.back(); table.target.name.schema.size() > 63)
      table.target.name.schema = "short";
    EXPECT_OK(destination->prepare(tables[i]->target));
    for (const auto* id : {"1", "2", "3"}) tables[i]->insert({id, "v", names[i]});
    inserts.push_back(tables[i]->delivery({.fresh = i % 2 == 0}));
  }
  EXPECT_OK(destination->write(inserts));
  EXPECT_OK(destination->commit(next_checkpoint()));
  std::vector<Delivery> changes;
  for (auto& table : tables) {
    table->restart();
    table->update({"1", kSame, "w"});
    table->update({"4", kSame, kSame}, {"2", kSame, kSame});
    table->remove({"3", kSame, kSame});
    changes.push_back(table->delivery());
    if (changes.size() < 20) EXPECT_OK(write({table->delivery()}));
  }
  changes.erase(changes.begin(), changes.begin() + 19);
  EXPECT_OK(write(changes));
  const auto found = rows(
      "select n.nspname || '/' || c.relname || '/' || a.attname || '/' || (xpath('/row/c/text()', "
      "query_to_xml("
      "format('select string_agg(%I || $a$/$a$ || %I || $a$/$a$ || (maia_group_ = $a$w$a$), $a$ $a$ order by "
      "%I) as c "
      "from %I.%I', a.attname, b.attname, a.attname, n.nspname, c.relname), false, true, '')))[1]::text "
      "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
      "join pg_attribute a on a.attrelid = c.oid and a.attnum = 1 join pg_attribute b on b.attrelid = c.oid "
      "and "
      "b.attnum = 2 where c.relkind = 'r' and (n.nspname like 'schema %' or n.nspname = 'short')");
  std::set<std::string> expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    expected.insert(tables[i]->target.name.schema + "/" + names[i] + "/" + names[(i + 1) % names.size()] +
                    "/1/v/true 4/v/false");
  }
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
}

TEST_F(TablesTest, a_name_that_the_server_would_cut_is_refused) {
  for (const auto& name : {std::string(64, 'x'), std::string(65, 'x'), std::string(62, 'x') + "ä"}) {
    for (const auto& table :
         {simple(name), TestTable({name, "t"}, {column_of("id", Type::of(TypeId::int32))}, {0}),
          TestTable({"public", "t"}, {column_of(name, Type::of(TypeId::int32))}, {0})}) {
      ASSERT_TRUE(destination->begin().ok());
      const auto prepared = destination->prepare(table.target);
      destination->rollback();
      ASSERT_FALSE(prepared.ok());
      EXPECT_EQ(prepared.error().code, Error::Code::data);
      EXPECT_THAT(prepared.error().message, HasSubstr("PostgreSQL cuts names after 63"));
    }
  }
}

TEST_F(TablesTest, an_existing_table_that_fits_is_taken_and_one_that_does_not_is_explained) {
  const auto table = simple();
  execute("create table t (id bigint, v varchar, extra int default 5, unique (id) include (v))");
  EXPECT_EQ(prepare_error(table), "");
  execute("drop table t; create table t (id int)");
  EXPECT_THAT(prepare_error(table), HasSubstr("it has no column v"));
  EXPECT_THAT(prepare_error(table), HasSubstr("no primary key or unique index of exactly (id)"));
  execute("drop table t; create table t (id int unique deferrable, v int, extra int not null)");
  EXPECT_THAT(prepare_error(table),
              HasSubstr("its column v is integer, which does not hold every value of string"));
  EXPECT_THAT(prepare_error(table), HasSubstr("its column extra is NOT NULL without a default"));
  EXPECT_THAT(prepare_error(table), HasSubstr("checked at once"));
  for (const auto* index :
       {"create unique index on t (id) where v is null", "create unique index on t (abs(id))",
        "create unique index on t (id, v)", "create index on t (id)"}) {
    execute("drop table t; create table t (id int, v text); " + std::string(index));
    EXPECT_THAT(prepare_error(table), HasSubstr("no primary key or unique index of exactly (id)")) << index;
  }
  execute("drop table t; create view t as select 1 as id, 'x' as v");
  EXPECT_THAT(prepare_error(table), HasSubstr("it is no table"));
}

TEST_F(TablesTest, columns_are_added_dropped_renamed_and_retyped_together) {
  auto before = TestTable({"public", "t"},
                          {column_of("id", Type::of(TypeId::int32)), column_of("a", Type::text()),
                           column_of("b", Type::text()), column_of("gone", Type::text())},
                          {0});
  prepare(before);
  before.insert({"1", "x", "y", "z"});
  EXPECT_OK(write({before.delivery()}));
  auto after = TestTable(
      {"public", "t"},
      {column_of("id", Type::of(TypeId::int64)), column_of("b", Type::text()), column_of("a", Type::text()),
       column_of("n", Type::decimal(10, 2)), column_of("gone", Type::of(TypeId::int32))},
      {0});
  EXPECT_OK(alter(before, after,
                  {{.kind = Kind::retype, .column = "id", .old_name = {}},
                   {.kind = Kind::rename, .column = "b", .old_name = "a"},
                   {.kind = Kind::rename, .column = "a", .old_name = "b"},
                   {.kind = Kind::drop, .column = "gone", .old_name = {}},
                   {.kind = Kind::add, .column = "n", .old_name = {}, .existing_rows = "1.50"},
                   {.kind = Kind::add, .column = "gone", .old_name = {}}}));
  EXPECT_THAT(rows("select id, a, b, n, gone from t"), ElementsAre("1|y|x|1.50|~"));
  EXPECT_THAT(shape("t"),
              ElementsAre("a|text|f", "b|text|f", "gone|integer|f", "id|bigint|t", "n|numeric(10,2)|f"));
  for (const int count : {1, 300, 6000}) {
    after.restart();
    for (int i = 0; i < count; ++i) after.insert({std::to_string(100 + i), "B", "A", std::nullopt, "7"});
    EXPECT_OK(write({after.delivery()}));
  }
  EXPECT_THAT(rows("select * from t where id = 100"), ElementsAre("100|B|A|~|7"));
}

TEST_F(TablesTest, a_default_that_existing_rows_get_does_not_stay) {
  auto before = simple();
  prepare(before);
  before.insert({"1", "x"});
  EXPECT_OK(write({before.delivery()}));
  auto columns = before.target.schema->columns;
  columns.push_back(column_of("added", Type::text()));
  columns.back().nullable = false;
  const TestTable after({"public", "t"}, columns, {0});
  EXPECT_OK(alter(before, after,
                  {{.kind = Kind::add, .column = "added", .old_name = {}, .existing_rows = "it's\\"}}));
  EXPECT_THAT(rows("select * from t"), ElementsAre("1|x|it's\\"));
  EXPECT_THAT(rows("select count(*) from pg_attrdef where adrelid = 't'::regclass"), ElementsAre("0"));
}

TEST_F(TablesTest, a_type_without_a_cast_goes_by_way_of_its_text) {
  auto before = TestTable(
      {"public", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text("inet"))}, {0});
  prepare(before);
  before.insert({"1", "::1"});
  EXPECT_OK(write({before.delivery()}));
  auto json = Type::of(TypeId::json);
  const TestTable after({"public", "t"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", json)},
                        {0});
  const auto refused = alter(before, after, {{.kind = Kind::retype, .column = "v", .old_name = {}}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::data);
  EXPECT_THAT(refused.error().message, HasSubstr("column v"));
  EXPECT_FALSE(refused.error().hint.empty());
  execute("update t set v = '127.0.0.1'");
  const TestTable text({"public", "t"},
                       {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())}, {0});
  EXPECT_OK(alter(before, text, {{.kind = Kind::retype, .column = "v", .old_name = {}}}));
  EXPECT_OK(alter(text, before, {{.kind = Kind::retype, .column = "v", .old_name = {}}}));
  EXPECT_THAT(rows("select * from t"), ElementsAre("1|127.0.0.1"));
}

TEST_F(TablesTest, nullability_key_and_name_of_the_table_change) {
  auto before = simple();
  prepare(before);
  TestTable after({"moved", "u"}, {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text())},
                  {1});
  EXPECT_OK(alter(before, after,
                  {{.kind = Kind::nullability, .column = "v", .old_name = {}},
                   {.kind = Kind::nullability, .column = "id", .old_name = {}},
                   {.kind = Kind::key, .column = "v", .old_name = {}}}));
  EXPECT_THAT(
      rows("select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'moved.u'::regclass"),
      ElementsAre("PRIMARY KEY (v)"));
  EXPECT_THAT(rows("select schema_name, table_name, pipeline from maia.owner"), ElementsAre("moved|u|p"));
  after.insert({std::nullopt, "key"});
  EXPECT_OK(write({after.delivery()}));
  EXPECT_THAT(rows("select * from moved.u"), ElementsAre("~|key"));
}

TEST_F(TablesTest, an_alteration_that_is_rolled_back_leaves_the_old_shape_in_use) {
  auto before = simple();
  prepare(before);
  before.insert({"1", "x"});
  EXPECT_OK(write({before.delivery()}));
  const TestTable after({"public", "t"},
                        {column_of("id", Type::of(TypeId::int32)), column_of("w", Type::text())}, {0});
  ASSERT_TRUE(destination->begin().ok());
  EXPECT_OK(destination->alter(before.target, after.target,
                               {.before = before.target.schema,
                                .after = after.target.schema,
                                .columns = {{.kind = Kind::rename, .column = "w", .old_name = "v"}}}));
  destination->rollback();
  before.restart();
  before.update({"1", "y"});
  EXPECT_OK(write({before.delivery()}));
  EXPECT_THAT(rows("select id, v from t"), ElementsAre("1|y"));
}

class LoadedTable : public TablesTest {
 protected:
  void load() {
    ASSERT_TRUE(destination->begin().ok());
    EXPECT_OK(destination->prepare_load(table.target));
    EXPECT_OK(destination->commit(next_checkpoint()));
    for (const auto* id : {"1", "2"}) table.insert({id, "x"});
    EXPECT_OK(write({table.delivery({.fresh = true})}));
    EXPECT_EQ(keys(), "0");
    table.restart();
  }
  std::string keys() {
    return rows("select count(*) from pg_index where indrelid = 't'::regclass and indisprimary").at(0);
  }
  TestTable table = simple();
};

TEST_F(LoadedTable, gets_its_key_with_its_last_rows) {
  ASSERT_NO_FATAL_FAILURE(load());
  table.insert({"3", "x"});
  ASSERT_TRUE(destination->begin().ok());
  const auto last = table.delivery({.fresh = true});
  EXPECT_OK(destination->write({&last, 1}));
  const TableTarget* targets[] = {&table.target};
  EXPECT_OK(destination->finish_snapshot(targets));
  EXPECT_OK(destination->commit(next_checkpoint()));
  EXPECT_EQ(keys(), "1");
  EXPECT_THAT(rows("select obj_description('t'::regclass) is null, count(*) from t"), ElementsAre("t|3"));
  table.restart();
  table.update({"3", "y"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select v from t where id = 3"), ElementsAre("y"));
}

TEST_F(LoadedTable, gets_its_key_before_it_is_loaded_on_or_changed) {
  ASSERT_NO_FATAL_FAILURE(load());
  table.update({"2", "y"});
  ASSERT_TRUE(destination->begin().ok());
  const auto change = table.delivery();
  EXPECT_OK(destination->write({&change, 1}));
  destination->rollback();
  EXPECT_EQ(keys(), "0");
  EXPECT_OK(write({table.delivery()}));
  EXPECT_EQ(keys(), "1");
  EXPECT_THAT(rows("select v from t where id = 2"), ElementsAre("y"));

  execute("drop table t");
  table.restart();
  ASSERT_NO_FATAL_FAILURE(load());
  prepare(table);
  EXPECT_EQ(keys(), "1");
}

TEST_F(TablesTest, sequences_go_on_above_what_was_copied) {
  execute(
      "create table t (id serial primary key, v text, down int default 0); "
      "create sequence falling increment -1 owned by t.down");
  auto table = simple();
  prepare(table);
  for (const auto* id : {"5", "41"}) table.insert({id, "x"});
  EXPECT_OK(write({table.delivery({.fresh = true})}));
  ASSERT_TRUE(destination->begin().ok());
  const TableTarget* targets[] = {&table.target};
  EXPECT_OK(destination->finish_snapshot(targets));
  EXPECT_OK(destination->commit(next_checkpoint()));
  EXPECT_THAT(rows("insert into t (v) values ('next') returning id"), ElementsAre("42"));
  // A sequence that is already further stays there; one of an empty column gives its first value.
  execute("delete from t; select setval('t_id_seq', 100)");
  ASSERT_TRUE(destination->drop("p").ok());
  EXPECT_THAT(rows("insert into t (v) values ('next') returning id"), ElementsAre("101"));
  EXPECT_THAT(rows("select nextval('falling')"), ElementsAre("-1"));
}

TEST_F(TablesTest, an_append_target_takes_every_row_without_looking_anything_up) {
  auto table = simple();
  table.target.mode = TableTarget::Mode::append;
  prepare(table);
  for (int i = 0; i < 3; ++i) table.insert({"1", "same"});
  EXPECT_OK(write({table.delivery()}));
  EXPECT_THAT(rows("select count(*) from t"), ElementsAre("3"));
  EXPECT_THAT(rows("select count(*) from pg_constraint where conrelid = 't'::regclass"), ElementsAre("0"));
}

/// The same on other versions of the server.
class VersionsTest : public DestinationTest, public ::testing::WithParamInterface<int> {
 protected:
  testing::PostgresServer& server() override { return testing::shared_postgres(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(All, VersionsTest, ::testing::Values(16, 17, 18));

TEST_P(VersionsTest, a_table_is_made_copied_into_changed_and_swapped_in) {
  auto table = simple();
  prepare(table);
  for (int i = 0; i < 300; ++i) table.insert({std::to_string(i), "v" + std::to_string(i)});
  EXPECT_OK(write({table.delivery({.fresh = true})}));
  execute("alter table t add unique (v)");
  for (const int changes : {40, 280}) {
    table.restart();
    for (int i = 0; i < changes; i += 2) {
      table.update({std::to_string(i), "w" + std::to_string(i + 1)});
      table.update({std::to_string(i + 1), "w" + std::to_string(i)});
    }
    for (int i = 0; i < changes; i += 2) {
      table.update({std::to_string(i), "w" + std::to_string(i)});
      table.update({std::to_string(i + 1), "w" + std::to_string(i + 1)});
    }
    table.remove({std::to_string(299 - changes / 100), kSame});
    EXPECT_OK(write({table.delivery()}));
  }
  EXPECT_THAT(rows("select count(*), count(*) filter (where v = 'w' || id) from t"), ElementsAre("298|280"));
}

}  // namespace
}  // namespace maia::postgres
