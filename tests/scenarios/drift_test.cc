// SPDX-License-Identifier: Apache-2.0
// Each kind of schema change in the middle of traffic: after rows, alone or within a transaction that has
// rows before and after it, then more rows. The destination must follow it, old rows included.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

struct Change {
  std::string name;
  std::string ddl;  ///< {0} is the table
};

const Change kChanges[] = {
    {"add", "alter table {0} add column c text"},
    {"add_default", "alter table {0} add column c int default 7"},
    {"add_default_not_null", "alter table {0} add column c text not null default 'it''s'"},
    {"add_stable_default", "alter table {0} add column c timestamptz default now()"},
    {"add_two", "alter table {0} add column c text, add column d date default '2020-02-29'"},
    {"drop", "alter table {0} drop column b"},
    {"drop_and_add_again", "alter table {0} drop column b; alter table {0} add column b text default 'new'"},
    {"rename", "alter table {0} rename column b to z"},
    {"swap_names",
     "alter table {0} rename column b to t; alter table {0} rename column note to b; alter table {0} rename "
     "column t to note"},
    {"rename_and_add", "alter table {0} rename column b to z; alter table {0} add column b int default 1"},
    {"widen_integer", "alter table {0} alter column a type bigint"},
    {"integer_to_text", "alter table {0} alter column a type text"},
    {"widen_numeric", "alter table {0} alter column n type numeric(14,4)"},
    {"varchar_to_text", "alter table {0} alter column v type text"},
    {"set_not_null",
     "update {0} set b = 'x' where b is null; alter table {0} alter column b set not null, alter column b "
     "set default 'd'"},
    {"drop_not_null", "alter table {0} alter column q drop not null"},
    {"new_default", "alter table {0} alter column b set default 'other'"},
    {"rename_table", "alter table {0} rename to {0}_now"},
};

std::string table_of(const Change& change, bool in_transaction) {
  return (in_transaction ? "in_" : "alone_") + change.name;
}

std::string table_after(const Change& change, bool in_transaction) {
  return table_of(change, in_transaction) + (change.name == "rename_table" ? "_now" : "");
}

/// All kinds, alone and in a transaction, in one pipeline.
class Drift {
 public:
  explicit Drift(testing::PostgresServer& server) : server_(server) {}

  void create() {
    each([&](const Change& change, bool in_transaction) {
      execute(fmt::format(
          "create table {0} (id int primary key, a int, b text, note text, n numeric(10,2), v varchar(9),"
          " q int not null default 3);"
          "insert into {0} select i, i, case when i % 3 > 0 then 'b' || i end, 'note', i / 4.0, 'v' || i, i"
          " from generate_series(1, 50) i",
          table_of(change, in_transaction)));
    });
  }
  void traffic(int from) {
    each([&](const Change& change, bool in_transaction) {
      execute(rows(table_after_change_or_not(change, in_transaction), from));
    });
  }
  void change() {
    each([&](const Change& change, bool in_transaction) {
      const auto table = table_of(change, in_transaction);
      const auto ddl = fmt::format(fmt::runtime(change.ddl), table);
      if (in_transaction) {
        execute(fmt::format("begin; {}; {}; {}; commit", rows(table, 200), ddl,
                            rows(table_after(change, true), 300)));
      } else {
        execute(ddl);
      }
    });
    changed_ = true;
  }
  void check(testing::ComparedSystem& destination) {
    auto source = testing::compared_postgres(server_.uri());
    ASSERT_TRUE(source.ok());
    each([&](const Change& change, bool in_transaction) {
      const auto table = table_after(change, in_transaction);
      SCOPED_TRACE(table);
      const auto compared = testing::compare(
          **source, destination, {.left = {"public", table}, .right = {"public", table}, .except = {}});
      ASSERT_TRUE(compared.ok()) << compared.error().message;
      EXPECT_TRUE(compared->equal()) << compared->report();
      EXPECT_GT(compared->left.rows, 50u);
    });
  }

 private:
  template <class Call>
  void each(Call call) const {
    for (const auto& change : kChanges) {
      call(change, false);
      call(change, true);
    }
  }
  std::string table_after_change_or_not(const Change& change, bool in_transaction) const {
    return changed_ ? table_after(change, in_transaction) : table_of(change, in_transaction);
  }
  static std::string rows(const std::string& table, int from) {
    return fmt::format(
        "insert into {0} (id) select i from generate_series({1}, {1} + 9) i; update {0} set q = 5 where id % "
        "7 = 0;"
        " delete from {0} where id % 11 = 0 and id < 40",
        table, from);
  }
  void execute(const std::string& sql) {
    const auto executed = server_.execute(sql);
    ASSERT_TRUE(executed.ok()) << sql << ": " << executed.error().message;
  }

  testing::PostgresServer& server_;
  bool changed_ = false;
};

void follow_every_change(const std::string& destination_lines,
                         const std::function<std::unique_ptr<testing::ComparedSystem>(const Mirror&)>& open) {
  auto server = testing::PostgresServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  Drift drift(**server);
  drift.create();
  auto mirror = Mirror::make(
      fmt::format("type: postgres\nurl: {}\ntables: [\"alone_*\", \"in_*\"]\n", (*server)->uri()),
      destination_lines);
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  // Half of it is met while maia runs, half when it comes back and the catalogue is already ahead of the log.
  ASSERT_TRUE(mirror->start().ok());
  drift.traffic(100);
  drift.change();
  drift.traffic(400);
  ASSERT_TRUE(mirror->running()) << mirror->log_tail();
  mirror->kill9();
  drift.traffic(500);
  caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const auto destination = open(*mirror);
  ASSERT_NE(destination, nullptr);
  drift.check(*destination);
}

TEST(Drift, every_schema_change_arrives_in_duckdb_old_rows_included) {
  follow_every_change("type: duckdb\npath: {}/copy.duckdb\n", [](const Mirror& mirror) {
    return testing::compared_duckdb(mirror.directory() / "copy.duckdb").value();
  });
}

TEST(Drift, every_schema_change_arrives_in_postgres_old_rows_included) {
  auto destination = testing::PostgresServer::start();
  ASSERT_TRUE(destination.ok()) << destination.error().message;
  const auto uri = (*destination)->uri();
  follow_every_change("type: postgres\nurl: " + uri + "\n",
                      [&](const Mirror&) { return testing::compared_postgres(uri).value(); });
}

TEST(Drift, stop_ends_the_pipeline_with_the_change_in_words) {
  auto server = testing::PostgresServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  ASSERT_TRUE((*server)->execute("create table t (id int primary key, a int)").ok());
  auto mirror = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [t]\n", (*server)->uri()),
                             "type: duckdb\npath: {}/copy.duckdb\n", "schema:\n  on_drift: stop\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  ASSERT_TRUE(mirror->catch_up().ok()) << mirror->log_tail();
  ASSERT_TRUE(
      (*server)->execute("alter table t add column extra text; insert into t values (1, 1, 'x')").ok());
  const auto ended = mirror->catch_up();
  ASSERT_FALSE(ended.ok());
  EXPECT_THAT(ended.error().message,
              ::testing::HasSubstr("public.t changed at the source (add column extra)"));
  EXPECT_THAT(ended.error().message, ::testing::HasSubstr("set schema.on_drift to evolve"));
}

}  // namespace
}  // namespace maia::tests
