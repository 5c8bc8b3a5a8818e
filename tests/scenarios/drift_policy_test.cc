// SPDX-License-Identifier: Apache-2.0
// What schema.on_drift lets through, in general and for one kind of change, as the running program does it;
// and tables that come and go while it runs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DriftPolicy : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
  }
  void execute(const std::string& sql) {
    const auto executed = server->execute(sql);
    ASSERT_TRUE(executed.ok()) << sql << ": " << executed.error().message;
  }
  /// A pipeline of the table t, which has three rows that have been copied.
  void begin(const std::string& schema_lines) {
    execute(
        "create table t (id int primary key, a int, b text, q text not null);"
        "insert into t values (1, 10, 'one', 'x'), (2, 20, 'two', 'y'), (3, 30, '3', 'z')");
    open("[t]", "schema:\n" + schema_lines);
    catch_up();
  }
  void open(const std::string& tables, const std::string& more = {}) {
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: {}\n", server->uri(), tables),
                             "type: duckdb\npath: {}/copy.duckdb\n", more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  void catch_up() {
    const auto caught_up = mirror->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }
  /// How `maia run --until-caught-up` ends, which must be with 1.
  std::string failure() {
    const auto run =
        mirror->command({"run", mirror->file(), "--state", mirror->state(), "--until-caught-up"}, 1);
    return run.ok() ? *run : run.error().message;
  }
  /// What the destination answers while no maia has it, cells joined by |, NULL as -.
  std::vector<std::string> lines(const std::string& sql) {
    std::vector<std::string> all;
    auto system = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
    EXPECT_TRUE(system.ok());
    if (!system.ok()) return all;
    const auto read = (*system)->each_row(sql, [&](testing::Row&& row) {
      std::string line;
      for (const auto& cell : row) line += (line.empty() ? "" : "|") + cell.value_or("-");
      all.push_back(std::move(line));
    });
    EXPECT_TRUE(read.ok()) << read.error().message;
    return all;
  }
  std::vector<std::string> columns() {
    return lines(
        "select column_name || ' ' || data_type from duckdb_columns() where schema_name = 'public' and "
        "table_name = 't' order by column_name");
  }

  std::unique_ptr<testing::PostgresServer> server;
  std::optional<Mirror> mirror;
};

constexpr const char* kEveryKind =
    "alter table t add column c int default 7; alter table t drop column a; alter table t rename column b to "
    "z; alter table t alter column q drop not null; alter table t alter column id type bigint;"
    "insert into t (id, z, q) values (4, 'four', 'w')";

TEST_F(DriftPolicy, evolve_follows_every_kind) {
  begin("  on_drift: evolve\n");
  execute(kEveryKind);
  catch_up();
  EXPECT_THAT(columns(), ElementsAre("c INTEGER", "id BIGINT", "q VARCHAR", "z VARCHAR"));
  EXPECT_THAT(lines("select id, c, z, q from public.t order by id"),
              ElementsAre("1|7|one|x", "2|7|two|y", "3|7|3|z", "4|7|four|w"));
}

TEST_F(DriftPolicy, lenient_takes_nothing_away) {
  begin("  on_drift: lenient\n");
  execute(kEveryKind);
  catch_up();
  EXPECT_THAT(columns(),
              ElementsAre("a INTEGER", "b VARCHAR", "c INTEGER", "id BIGINT", "q VARCHAR", "z VARCHAR"));
  EXPECT_THAT(lines("select id, a, b, c, z from public.t order by id"),
              ElementsAre("1|10|one|7|-", "2|20|two|7|-", "3|30|3|7|-", "4|-|-|7|four"));
}

TEST_F(DriftPolicy, ignore_keeps_the_shape_and_the_rows_go_on) {
  begin("  on_drift: ignore\n");
  execute(
      "alter table t add column c int default 7; alter table t drop column a; alter table t rename column b "
      "to z; insert into t (id, z, q) values (4, 'four', 'w'); delete from t where id = 1;"
      "update t set q = 'changed' where id = 2");
  catch_up();
  EXPECT_THAT(columns(), ElementsAre("a INTEGER", "b VARCHAR", "id INTEGER", "q VARCHAR"));
  EXPECT_THAT(lines("select id, a, b, q from public.t order by id"),
              ElementsAre("2|20|two|changed", "3|30|3|z", "4|-|-|w"));
}

TEST_F(DriftPolicy, a_kind_of_its_own_overrides_the_rest) {
  begin("  on_drift: evolve\n  drop_column: stop\n  rename_column: ignore\n");
  execute("alter table t add column c int default 7; alter table t rename column b to z");
  execute("insert into t (id, z, q) values (4, 'four', 'w')");
  catch_up();
  EXPECT_THAT(columns(), ElementsAre("a INTEGER", "b VARCHAR", "c INTEGER", "id INTEGER", "q VARCHAR"));
  execute("alter table t drop column a; insert into t (id, q) values (5, 'v')");
  EXPECT_THAT(failure(), HasSubstr("public.t changed at the source (drop column a)"));
  EXPECT_THAT(lines("select count(*) from public.t"), ElementsAre("4")) << "stopped before the row";
}

/// The rows of column b that were copied are no numbers, so the destination cannot turn them; at the source
/// the change computes others.
constexpr const char* kImpossible =
    "alter table t alter column b type int using length(b); insert into t values (4, 40, 4, 'w')";

TEST_F(DriftPolicy, evolve_stops_at_what_the_destination_cannot_do) {
  begin("  on_drift: evolve\n");
  execute(kImpossible);
  EXPECT_THAT(failure(), HasSubstr("public.t"));
  EXPECT_THAT(lines("select count(*) from public.t"), ElementsAre("3"));
}

TEST_F(DriftPolicy, try_evolve_leaves_out_what_the_destination_cannot_do_and_follows_the_rest) {
  begin("  on_drift: try_evolve\n");
  execute(kImpossible);
  execute("alter table t add column c int default 7; insert into t values (5, 50, 5, 'v', 8)");
  catch_up();
  EXPECT_THAT(columns(), ElementsAre("a INTEGER", "b VARCHAR", "c INTEGER", "id INTEGER", "q VARCHAR"));
  EXPECT_THAT(lines("select id, a, b, c from public.t order by id"),
              ElementsAre("1|10|one|7", "2|20|two|7", "3|30|3|7", "4|40|-|7", "5|50|-|8"));
}

TEST_F(DriftPolicy, try_evolve_may_be_for_one_kind_alone) {
  begin("  on_drift: stop\n  change_type: try_evolve\n");
  execute(kImpossible);
  catch_up();
  EXPECT_THAT(lines("select id, b from public.t order by id"), ElementsAre("1|one", "2|two", "3|3", "4|-"));
}

/// What a running maia says on `--listen`.
std::string metrics(Mirror& mirror) {
  const auto log = mirror.log_tail();
  const std::string_view key = "\"port\":";
  const auto at = log.find(key);
  if (at == log.npos) return "no port in the log: " + log;
  const auto port = log.substr(at + key.size(), log.find('}', at) - at - key.size());
  const auto out = mirror.directory() / "metrics";
  std::filesystem::remove(out);
  auto asked = testing::ChildProcess::start(
      {.command = {"bash", "-c",
                   fmt::format(
                       "exec 3<>/dev/tcp/127.0.0.1/{} && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 "
                       "&& cat <&3",
                       port)},
       .output = out,
       .environment = {},
       .standard_input = -1});
  if (!asked.ok()) return asked.error().message;
  asked->wait(std::chrono::seconds(10));
  return read_file(out);
}

TEST_F(DriftPolicy, tables_come_and_go_in_the_middle_of_traffic_and_status_and_metrics_tell) {
  execute(
      "create table item_a (id int primary key, v text); insert into item_a values (1, 'a');"
      "create publication everything for all tables with (publish_via_partition_root = true)");
  open("[\"item_*\"]\npublication: everything");
  ASSERT_TRUE(mirror->start({"--listen", "127.0.0.1:0"}).ok());
  const auto ask = [&](const std::string& sql) {
    const auto answer = mirror->command({"query", sql, "--format", "csv", "--state", mirror->state()});
    return answer.ok() ? *answer : answer.error().message;
  };
  const auto wait_for = [&](const std::string& sql, const std::string& answer) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    std::string last;
    while ((last = ask(sql)) != answer && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(last, answer) << mirror->log_tail();
  };
  wait_for("select v as n from public.item_a", "n\r\na\r\n");
  execute(
      "begin; insert into item_a values (2, 'before'); create table item_b (id int primary key, w text);"
      "insert into item_a values (3, 'after'); commit;"
      "insert into item_b select i, 'w' || i from generate_series(1, 500) i");
  wait_for("select count(*) as n from public.item_b", "n\r\n500\r\n");
  execute(
      "alter table item_a add column since int default 5; insert into item_a values (4, 'd', 6);"
      "drop table item_b; insert into item_a values (5, 'e', 6)");
  wait_for("select count(*) as n from public.item_a", "n\r\n5\r\n");
  EXPECT_EQ(ask("select count(*) as n from public.item_b"), "n\r\n500\r\n")
      << "a dropped table keeps its rows";
  EXPECT_EQ(ask("select since from public.item_a order by id"), "since\r\n5\r\n5\r\n5\r\n6\r\n6\r\n");
  const auto status = mirror->command({"status", "--state", mirror->state()});
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_THAT(*status, ::testing::ContainsRegex("public.item_a .* 1 +added since"));
  const auto json = mirror->command({"status", "--json", "--state", mirror->state()});
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_THAT(*json, HasSubstr("\"last_schema_change\":\"added since\""));
  EXPECT_THAT(metrics(*mirror),
              HasSubstr("maia_schema_changes_total{pipeline=\"mirror\",destination=\"duckdb\",table=\"public."
                        "item_a\"} 1\n"));
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  ASSERT_TRUE(mirror->start().ok());
  const auto again = mirror->await({"status", "--state", mirror->state()}, "added since");
  EXPECT_TRUE(again.ok()) << "forgotten by the next run: " << again.error().message;
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
}

TEST_F(DriftPolicy, a_table_made_meanwhile_joins_a_publication_of_tables_at_the_next_start_with_its_rows) {
  execute("create table item_a (id int primary key); insert into item_a values (1)");
  open("[\"item_*\"]");
  ASSERT_TRUE(mirror->start().ok());
  execute("create table item_b (id int primary key); insert into item_b values (1), (2)");
  mirror->kill9();
  execute("insert into item_b values (3); delete from item_b where id = 1");
  catch_up();
  execute("insert into item_b values (4)");
  catch_up();
  EXPECT_THAT(lines("select id from public.item_b order by id"), ElementsAre("2", "3", "4"));
}

TEST_F(DriftPolicy, a_table_made_meanwhile_joins_a_publication_of_maias_own_with_the_rows_from_before) {
  execute("create table item_a (id int primary key); insert into item_a values (1)");
  auto made = Mirror::make_of(
      fmt::format("source:\n  type: postgres\n  url: {}\n  tables: [\"item_*\"]\ndestinations:\n"
                  "  copy:\n    type: duckdb\n    path: {{}}/copy.duckdb\n"
                  "  log:\n    type: duckdb\n    path: {{}}/log.duckdb\n    mode: append\n",
                  server->uri()));
  ASSERT_TRUE(made.ok()) << made.error().message;
  mirror.emplace(std::move(*made));
  ASSERT_TRUE(mirror->start().ok());
  const auto holds = [&](const std::string& destination, const std::string& sql, const std::string& answer) {
    const auto held = mirror->await(
        {"query", sql, "--destination", destination, "--format", "csv", "--state", mirror->state()}, answer);
    EXPECT_TRUE(held.ok()) << held.error().message;
  };
  holds("copy", "select count(*) as n from public.item_a", "n\r\n1\r\n");
  // No change comes after the rows that are there when it joins, and none of it may be needed.
  execute(
      "create table item_b (id int primary key); insert into item_b values (1), (2);"
      "create table item_keyless (id int); insert into item_keyless values (1)");
  for (const auto* destination : {"copy", "log"})
    holds(destination, "select count(*) as n from public.item_b", "n\r\n2\r\n");
  execute("insert into item_b values (3); delete from item_b where id = 1");
  holds("copy", "select string_agg(id, ' ' order by id) as n from public.item_b", "n\r\n2 3\r\n");
  holds("log", "select count(*) as n from public.item_b", "n\r\n4\r\n");
  execute("update item_keyless set id = 2");  // which the source refuses of a published table without a key
  EXPECT_TRUE(mirror->await({"status", "--state", mirror->state()}, "public.item_b").ok());
  EXPECT_THAT(mirror->log_tail(), HasSubstr("a new table is left out"));
  EXPECT_THAT(mirror->log_tail(), HasSubstr("REPLICA IDENTITY FULL"));
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
}

TEST_F(DriftPolicy, replica_identity_nothing_is_refused_by_name_with_the_statement_that_mends_it) {
  const auto refused = [&](const std::string& said) {
    EXPECT_THAT(said, HasSubstr("public.t"));
    EXPECT_THAT(said, HasSubstr("has replica identity nothing"));
    EXPECT_THAT(said, HasSubstr("REPLICA IDENTITY DEFAULT;"));
  };
  begin("  on_drift: evolve\n");
  ASSERT_TRUE(mirror->start().ok());
  ASSERT_TRUE(mirror->await({"status", "--state", mirror->state()}, "mirror: streaming").ok());
  execute("alter table t replica identity nothing; insert into t values (4, 40, 'four', 'w')");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (mirror->running() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(mirror->running());
  refused(mirror->log_tail());
  for (const auto* word : {"check", "plan"}) {
    SCOPED_TRACE(word);
    const auto said = mirror->command({word, mirror->file(), "--state", mirror->state()});
    ASSERT_FALSE(said.ok());
    refused(said.error().message);
  }
  const auto run = mirror->catch_up();
  ASSERT_FALSE(run.ok());
  refused(run.error().message);
  execute("alter table t replica identity default; update t set a = 41 where id = 4");
  catch_up();
  EXPECT_THAT(lines("select id, a from public.t order by id"), ElementsAre("1|10", "2|20", "3|30", "4|41"));
}

}  // namespace
}  // namespace maia::tests
