// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/duckdb_destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "maia/connectors/duckdb/connector.h"
#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DuckDbDestinationTest : public DestinationTest {
 protected:
  static TableTarget people(TableName name = {"s", "people"}) {
    return target(schema({{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                          {.name = "name", .type = Type::text()}},
                         std::move(name)));
  }
  static Batch ada(const TableTarget& table) {
    Batch batch(table.schema);
    push(batch, Op::insert, {"1", "Ada"});
    return batch;
  }
  Error refusal(const TableTarget& target) {
    const auto prepared = in_commit([&] { return destination().prepare(target); });
    EXPECT_FALSE(prepared.ok());
    return prepared.ok() ? Error{} : prepared.error();
  }
  /// Runs statements as a person with the file in hand would.
  void by_hand(const std::string& sql) {
    destination_.reset();
    const auto database = Database::open(config_);
    ASSERT_TRUE(database.ok());
    auto connection = (*database)->connect();
    must(connection->run(sql, "by hand"));
  }
};

TEST_F(DuckDbDestinationTest, rows_and_checkpoint_are_there_after_reopening) {
  const auto table = people();
  prepare(table);
  auto batch = ada(table);
  push(batch, Op::insert, {"2", std::nullopt});
  const std::string position("a\0b", 3);
  must(destination().begin());
  must(write(table, batch));
  must(destination().commit(
      {.sequence = {7}, .position = {position}, .facts = {{"s.people", "done"}, {"x", "y"}}}));
  must(destination().begin());
  must(destination().commit({.sequence = {8}, .position = {position}, .facts = {{"x", std::nullopt}}}));
  open();
  EXPECT_EQ(opened_.epoch.value, 2U);
  EXPECT_EQ(opened_.checkpoint.sequence.value, 8U);
  EXPECT_EQ(opened_.checkpoint.position.token, position);
  EXPECT_EQ(opened_.checkpoint.facts, (std::map<std::string, std::string>{{"s.people", "done"}}));
  prepare(table);
  EXPECT_THAT(query("SELECT * FROM people ORDER BY id"),
              ElementsAre(ElementsAre("1", "Ada"), ElementsAre("2", std::nullopt)));
}

TEST_F(DuckDbDestinationTest, rolled_back_rows_are_gone_and_the_next_commit_works) {
  const auto table = people();
  prepare(table);
  must(destination().begin());
  must(write(table, ada(table)));
  destination().rollback();
  EXPECT_THAT(query("SELECT * FROM people"), IsEmpty());
  write_and_commit(table, ada(table));
  EXPECT_THAT(query("SELECT count(*) FROM people"), ElementsAre(ElementsAre("1")));
}

TEST_F(DuckDbDestinationTest, an_older_run_is_fenced_whether_it_has_begun_or_not) {
  const auto table = people();
  prepare(table);
  must(destination().begin());
  must(write(table, ada(table)));
  DuckDbDestination newer(config_);
  const auto opened = newer.open("p");
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->epoch.value, 2U);
  auto fenced = destination().commit({.sequence = {5}});
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, Error::Code::fenced);
  destination().rollback();
  fenced = in_commit([&] { return write(table, ada(table)); });
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, Error::Code::fenced);
  destination().rollback();
  must(newer.begin());
  must(newer.commit({.sequence = {6}}));
  EXPECT_THAT(query("SELECT count(*) FROM people"), ElementsAre(ElementsAre("0")));
}

TEST_F(DuckDbDestinationTest, two_pipelines_share_a_file_but_not_a_table) {
  const auto table = people();
  prepare(table);
  open("other");
  const auto error = refusal(table);
  EXPECT_EQ(error.code, Error::Code::invalid_config);
  EXPECT_THAT(error.message, HasSubstr("pipeline p writes to it"));
  prepare(people({"s", "others"}));
  const auto dropped = destination().drop("p");
  ASSERT_TRUE(dropped.ok()) << dropped.error().message;
  EXPECT_THAT(*dropped, ElementsAre("ownership of s.people", "checkpoint of p"));
  open("other");
  prepare(table);
}

TEST_F(DuckDbDestinationTest, dropping_the_last_pipeline_leaves_the_rows_and_nothing_of_ours) {
  const auto table = people();
  prepare(table);
  write_and_commit(table, ada(table));
  ASSERT_TRUE(destination().drop("p").ok());
  by_hand("CREATE TABLE main.seen AS SELECT schema_name, table_name FROM duckdb_tables()");
  EXPECT_THAT(query("SELECT * FROM main.seen ORDER BY ALL"),
              ElementsAre(ElementsAre("main", "seen"), ElementsAre("s", "people")));
  EXPECT_THAT(query("SELECT name FROM s.people"), ElementsAre(ElementsAre("Ada")));
}

TEST_F(DuckDbDestinationTest, a_table_that_is_there_is_used_only_if_it_fits) {
  by_hand("CREATE SCHEMA s; CREATE TABLE s.people (name VARCHAR, id BIGINT)");
  const auto table = people();
  prepare(table);
  write_and_commit(table, ada(table));
  EXPECT_THAT(query("SELECT name, id FROM people"), ElementsAre(ElementsAre("Ada", "1")))
      << "the order of the columns does not matter";

  const std::pair<const char*, const char*> misfits[] = {
      {"(id BIGINT)", "has 1 columns, the pipeline brings 2"},
      {"(id BIGINT, nom VARCHAR)", "has a column nom"},
      {"(id INTEGER, name VARCHAR)", "column id is INTEGER in the DuckDB file and must be BIGINT"},
      {"(id BIGINT, name VARCHAR NOT NULL)", "column name is NOT NULL"},
      {"AS SELECT 1::BIGINT AS id, 'x' AS name FROM range(2)", "several rows with the same key"}};
  int number = 0;
  for (const auto& [shape, says] : misfits) {
    const auto name = "misfit" + std::to_string(number++);
    by_hand("CREATE TABLE s." + name + " " + shape);
    const auto error = refusal(people({"s", name}));
    EXPECT_EQ(error.code, Error::Code::invalid_config);
    EXPECT_THAT(error.message, HasSubstr(says));
    EXPECT_FALSE(error.hint.empty());
  }
}

TEST_F(DuckDbDestinationTest, a_table_that_was_dropped_by_hand_is_not_made_again_without_its_rows) {
  prepare(people());
  by_hand("DROP TABLE s.people");
  EXPECT_THAT(refusal(people()).message, HasSubstr("was dropped"));
}

TEST_F(DuckDbDestinationTest, a_changed_key_is_refused) {
  prepare(people());
  auto other = people();
  other.key = {1};
  EXPECT_THAT(refusal(other).message, HasSubstr("kept by the key (\"id\"), not by (\"name\")"));
}

TEST_F(DuckDbDestinationTest, names_that_duckdb_takes_for_the_same_are_refused_by_name) {
  prepare(people({"s", "people"}));
  EXPECT_THAT(refusal(people({"S", "People"})).message, HasSubstr("s.people is there"));
  const auto columns = target(
      schema({{.name = "a", .type = Type::text(), .in_key = true}, {.name = "A", .type = Type::text()}}));
  EXPECT_THAT(refusal(columns).message, HasSubstr("the columns a and A"));
  EXPECT_THAT(refusal(people({"MAIA", "tables"})).message, HasSubstr("MAIA's own tables"));
  EXPECT_THAT(refusal(target(schema({}))).message, HasSubstr("no columns"));
  EXPECT_THAT(refusal(target(schema({{.name = "rowid", .type = Type::text()}}))).message, HasSubstr("rowid"));
}

TEST_F(DuckDbDestinationTest, hostile_names_come_through_or_are_refused_and_harm_nothing) {
  const std::vector<std::string> pieces = {
      "a\"b",      "a'b", "a;--",      "/*x", "*/",   "\\", "$1",     "%s",     "{}",
      "new\nline", "\t",  " ",         ".",   "a.b",  "\"", "\"\"",   "select", "main",
      "temp",      "t",   "maia_rows", "c0",  "żółć", "💧", "ＡＢＣ", "\u200b", "x); DROP TABLE canary; --"};
  by_hand("CREATE TABLE canary AS SELECT 1 AS i");
  std::vector<TableTarget> tables;
  for (const auto& piece : pieces) {
    tables.push_back(
        target(schema({{.name = piece, .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                       {.name = piece + "_b", .type = Type::text()},
                       {.name = "c" + piece, .type = Type::text()}},
                      {piece, piece})));
  }
  for (const auto& table : tables) {
    prepare(table);
    Batch batch(table.schema);
    push(batch, Op::insert, {"1", "b", "c"});
    push(batch, Op::update, {"1", kUnchanged, "d"});
    write_and_commit(table, batch);
    Batch partial(table.schema);
    push(partial, Op::update, {"1", "e", kUnchanged});
    push(partial, Op::update, {"2", kUnchanged, "f"}, {"1", kUnchanged, kUnchanged});
    write_and_commit(table, partial);
  }
  open();
  for (const auto& table : tables) prepare(table);
  EXPECT_THAT(query("SELECT count(*) FROM duckdb_tables() WHERE schema_name <> 'maia'"),
              ElementsAre(ElementsAre(std::to_string(pieces.size() + 1))));
  EXPECT_THAT(query("SELECT \"a\"\"b_b\", \"ca\"\"b\" FROM \"a\"\"b\".\"a\"\"b\""),
              ElementsAre(ElementsAre("e", "f")));
  EXPECT_THAT(query("SELECT i FROM canary"), ElementsAre(ElementsAre("1")));
  const auto error = refusal(people({"s", std::string("a\0b", 3)}));
  EXPECT_EQ(error.code, Error::Code::data);
}

TEST_F(DuckDbDestinationTest, a_file_may_have_any_name) {
  for (const auto* name : {"maia.duckdb", "main.db", "temp.duckdb", "system.duckdb", "s", "my shop.duckdb",
                           "a'b\"c;--.duckdb", "1.2.3", "people", ".hidden", "żółć.duckdb"}) {
    destination_.reset();
    config_.path = (folder_ / name).string();
    const auto table = people();
    prepare(table);
    write_and_commit(table, ada(table));
    write_and_commit(table, ada(table));
    open();
    EXPECT_EQ(opened_.epoch.value, 2U) << name;
    EXPECT_THAT(query("SELECT name FROM people"), ElementsAre(ElementsAre("Ada"))) << name;
  }
}

TEST_F(DuckDbDestinationTest, append_keeps_every_row_and_truncate_removes_them) {
  auto table = people();
  table.mode = TableTarget::Mode::append;
  prepare(table);
  write_and_commit(table, ada(table));
  write_and_commit(table, ada(table));
  EXPECT_THAT(query("SELECT count(*) FROM people"), ElementsAre(ElementsAre("2")));
  const TableTarget* pointer = &table;
  must(in_commit([&] { return destination().truncate({&pointer, 1}, {}); }));
  EXPECT_THAT(query("SELECT count(*) FROM people"), ElementsAre(ElementsAre("0")));
}

TEST_F(DuckDbDestinationTest, a_null_in_a_key_is_found_like_any_value) {
  const auto table = target(schema({{.name = "a", .type = Type::text(), .in_key = true},
                                    {.name = "b", .type = Type::of(TypeId::interval), .in_key = true},
                                    {.name = "v", .type = Type::text()}}));
  prepare(table);
  Batch batch(table.schema);
  push(batch, Op::insert, {std::nullopt, "P1M", "month"});
  push(batch, Op::insert, {std::nullopt, "P30D", "days"});
  push(batch, Op::insert, {"x", std::nullopt, "null"});
  write_and_commit(table, batch);
  Batch changes(table.schema);
  push(changes, Op::remove, {}, {std::nullopt, "P30D", kUnchanged});
  push(changes, Op::update, {"x", std::nullopt, "changed"});
  write_and_commit(table, changes);
  EXPECT_THAT(query("SELECT v FROM t ORDER BY v"), ElementsAre(ElementsAre("changed"), ElementsAre("month")))
      << "a month and 30 days are two keys";
}

TEST_F(DuckDbDestinationTest, check_says_what_is_wrong_with_the_path) {
  config_.path = (folder_ / "missing" / "x.duckdb").string();
  auto findings = DuckDbDestination(config_).check();
  ASSERT_TRUE(findings.ok());
  EXPECT_EQ(findings->at(0).level, Finding::Level::error);
  EXPECT_THAT(findings->at(0).fix, HasSubstr("mkdir -p"));
  config_.path = (folder_ / "text.duckdb").string();
  std::ofstream(config_.path) << std::string(10'000, 'x');
  findings = DuckDbDestination(config_).check();
  ASSERT_TRUE(findings.ok());
  EXPECT_EQ(findings->at(0).level, Finding::Level::error);
  config_.path = (folder_ / "new.duckdb").string();
  findings = DuckDbDestination(config_).check();
  ASSERT_TRUE(findings.ok());
  EXPECT_EQ(findings->at(0).level, Finding::Level::ok);
  EXPECT_FALSE(std::filesystem::exists(config_.path)) << "check makes nothing";
}

TEST(duckdb_connector, uris_name_a_file_relative_or_absolute) {
  const std::pair<const char*, const char*> uris[] = {
      {"duckdb:shop.duckdb", "shop.duckdb"},
      {"duckdb:///data/shop.duckdb", "/data/shop.duckdb"},
      {"duckdb:data/shop.duckdb?threads=2", "data/shop.duckdb"}};
  for (const auto& [uri, path] : uris) {
    const auto settings = connector().settings_from_uri(uri);
    ASSERT_TRUE(settings.ok()) << settings.error().message;
    EXPECT_EQ(settings->find("path")->scalar()->text, path);
    EXPECT_EQ(settings->find("type"), nullptr) << "whoever knows the connector's name adds it";
  }
}

}  // namespace
}  // namespace maia::duckdb
