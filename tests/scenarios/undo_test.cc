// SPDX-License-Identifier: Apache-2.0
// Going back between real systems: retained changes are sent again and nothing differs; a destination is
// taken back and equals copies of the source's rows that were made at that very position; kill -9 in the
// middle.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "maia/testing/duckdb_session.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTables[] = {"items", "plain", "keyless"};

class Undo : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    execute(
        "create table items (id bigint primary key, n int, note text, body text);"
        "alter table items alter column body set storage external;"
        "alter table items replica identity full;"
        "create table plain (id bigint primary key, n int, note text);"
        "create table keyless (a int, b text);"
        "alter table keyless replica identity full;"
        "insert into items select i, i, 'n' || i, repeat(md5(i::text), 200) from generate_series(1, 400) i;"
        "insert into plain select i, i, 'n' || i from generate_series(1, 300) i;"
        "insert into keyless select i % 50, 'b' || i % 7 from generate_series(1, 200) i");
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  std::string one(const std::string& sql) {
    const auto rows = source->query(sql);
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    return rows.ok() ? rows->at(0).at(0).value_or("") : "";
  }
  void mirror(const std::string& more = {}) {
    std::string lines = "type: duckdb\npath: {}/copy.duckdb\n";
    if (GetParam() == "postgres") {
      auto started = testing::PostgresServer::start();
      ASSERT_TRUE(started.ok()) << started.error().message;
      destination = std::move(*started);
      lines = fmt::format("type: postgres\nurl: {}\n", destination->uri());
    }
    auto made =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [items, plain, keyless]\n", source->uri()),
                     lines + more, "");
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
  }
  void start() {
    ASSERT_TRUE(maia->start().ok());
    expect_eventually("select count(*) from items", one("select count(*) from items"));
  }
  /// One round of every kind of change: key updates, large values left alone, deletes, rows without a key.
  void work(int round) {
    execute(
        fmt::format("begin;"
                    "update items set n = n + 1 where id % 5 = {0} % 5;"
                    "update items set body = repeat('x{0}', 3000) where id % 17 = {0} % 17;"
                    "update items set id = id + 10000 where id % 41 = {0} % 41 and id < 10000;"
                    "delete from items where id % 29 = {0} % 29;"
                    "insert into items select 20000 + {0} * 100 + i, i, 'new', repeat('y', 9000) from "
                    "generate_series(1, 9) i;"
                    "commit;"
                    "update plain set n = {0} where id % 7 = {0} % 7;"
                    "update plain set id = id + 1000 where id % 37 = {0} % 37 and id < 1000;"
                    "insert into plain select 5000 + {0} * 100 + i, i, 'p' from generate_series(1, 5) i;"
                    "delete from keyless where a = {0} % 50; insert into keyless select {0}, 'k' from "
                    "generate_series(1, 3);"
                    "update keyless set b = 'u{0}' where a = ({0} + 3) % 50",
                    round));
  }
  /// Copies of all rows as they are now, and the position of that.
  std::string copy(const std::string& name) {
    for (const auto* table : kTables)
      execute(fmt::format("create table {}_{} as table {}", name, table, table));
    return one("select pg_current_wal_insert_lsn()");
  }
  std::string at_destination(const std::string& sql) {
    if (destination) {
      const auto rows = destination->query(sql);
      return rows.ok() && !rows->empty() ? rows->at(0).at(0).value_or("") : "not there";
    }
    const auto rows = maia->command({"query", sql, "--format", "csv", "--state", maia->state()});
    if (!rows.ok()) return rows.error().message;
    const auto begin = rows->find("\r\n") + 2;
    return rows->substr(begin, rows->find("\r\n", begin) - begin);
  }
  void expect_eventually(const std::string& sql, const std::string& value) {
    for (int i = 0; i < 600 && at_destination(sql) != value; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_EQ(at_destination(sql), value) << maia->log_tail();
  }
  /// `left`: rows that are there after a row was inserted and deleted.
  void caught_up(const std::string& left = "0") {
    execute("insert into plain values (999999, 1, 'mark')");
    expect_eventually("select count(*) from plain where id = 999999", "1");
    execute("delete from plain where id = 999999");
    expect_eventually("select count(*) from plain where id = 999999", left);
  }
  std::string said(std::vector<std::string> words, int code = 0) {
    words.insert(words.end(), {"--state", maia->state()});
    const auto done = maia->command(words, code);
    EXPECT_TRUE(done.ok()) << done.error().message << maia->log_tail();
    return done.ok() ? *done : "";
  }
  /// After the pipeline has ended: a DuckDB file is its own while it runs.
  void expect_equal(const std::string& table, const std::string& at_source) {
    auto left = testing::compared_postgres(source->uri());
    auto right = destination ? testing::compared_postgres(destination->uri())
                             : testing::compared_duckdb(maia->directory() / "copy.duckdb");
    ASSERT_TRUE(left.ok() && right.ok());
    const auto compared = testing::compare(**left, **right, {{"public", at_source}, {"public", table}, {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << table << ": " << compared->report();
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  std::optional<Mirror> maia;
};

TEST_P(Undo, a_destination_that_was_rolled_back_equals_the_source_as_it_was) {
  mirror();
  start();
  for (int round = 1; round <= 4; ++round) work(round);
  const auto place = copy("then");
  for (int round = 5; round <= 9; ++round) work(round);
  caught_up();
  // `plain` has images of keys only: what was copied and never changed before the place is not retained.
  const auto plan = said({"rollback", "--to", place, "--dry-run", "--partial"});
  EXPECT_THAT(plan, HasSubstr("public.items"));
  EXPECT_THAT(plan, HasSubstr("REPLICA IDENTITY FULL")) << "what is lost is said";
  said({"rollback", "--to", place, "--yes"}, 2);
  said({"rollback", "--to", place, "--table", "items", "--yes"});
  said({"rollback", "--to", place, "--table", "keyless", "--yes"});
  EXPECT_EQ(maia->stop(), 0);
  expect_equal("items", "then_items");
  expect_equal("keyless", "then_keyless");
}

TEST_P(Undo, kill_9_in_the_middle_of_a_rollback_leaves_all_or_nothing_of_it) {
  mirror();
  start();
  work(1);
  const auto place = copy("then");
  for (int round = 2; round <= 6; ++round) work(round);
  caught_up();
  std::jthread request([&] {
    (void)maia->command({"rollback", "--to", place, "--table", "items", "--yes", "--state", maia->state()});
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  maia->kill9();
  request.join();
  ASSERT_TRUE(maia->start().ok());
  bool held = false;
  for (int i = 0; i < 600; ++i) {
    const auto status = maia->command({"status", "--json", "--state", maia->state()});
    const bool there = status.ok() && status->find("\"streaming\"") != status->npos;
    held = status.ok() && status->find("\"paused\"") != status->npos;
    if (there) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (!held) said({"rollback", "--to", place, "--table", "items", "--yes"});
  EXPECT_EQ(maia->stop(), 0);
  expect_equal("items", "then_items");
}

TEST_P(Undo, what_is_sent_again_under_load_and_kill_9_changes_nothing) {
  mirror();
  start();
  work(1);
  const auto place = one("select pg_current_wal_insert_lsn()");
  for (int round = 2; round <= 5; ++round) work(round);
  caught_up();
  said({"replay", "--from", place, "--table", "keyless"}, 2);  // its rows would be there twice
  EXPECT_THAT(said({"replay", "--from", place}), HasSubstr("is sent again"));
  work(6);
  maia->kill9();
  ASSERT_TRUE(maia->start().ok());
  work(7);
  caught_up();
  EXPECT_EQ(maia->stop(), 0);
  ASSERT_TRUE(maia->catch_up().ok());
  for (const auto* table : kTables) expect_equal(table, table);
}

TEST_P(Undo, changes_that_were_appended_are_not_doubled_when_they_are_sent_again) {
  mirror("mode: append\n");
  start();
  const auto place = one("select pg_current_wal_insert_lsn()");
  for (int round = 1; round <= 3; ++round) work(round);
  caught_up("2");
  const auto count = "select count(*) || ' ' || count(distinct _maia_id) from {}";
  std::map<std::string, std::string> before;
  for (const auto* table : kTables) before[table] = at_destination(fmt::format(fmt::runtime(count), table));
  EXPECT_THAT(said({"replay", "--from", place}), HasSubstr("is sent again"));
  for (int i = 0; i < 600; ++i) {
    if (said({"status", "--json"}).find("\"catching up\"") == std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (const auto* table : kTables)
    EXPECT_EQ(at_destination(fmt::format(fmt::runtime(count), table)), before[table]) << table;
  maia->kill9();
}

TEST_P(Undo, a_truncate_and_a_place_that_is_not_retained_are_refused_with_the_reason) {
  mirror();
  start();
  work(1);
  const auto place = one("select pg_current_wal_insert_lsn()");
  execute("truncate keyless");
  caught_up();
  EXPECT_THAT(said({"rollback", "--to", place, "--dry-run", "--partial"}), HasSubstr("truncated"));
  said({"rollback", "--to", "nowhere", "--dry-run"}, 2);
  said({"rollback", "--to", "2020-01-01T00:00:00Z", "--dry-run"}, 2);
  said({"replay", "--from", "2020-01-01 00:00:00"}, 2);
  maia->kill9();
}

INSTANTIATE_TEST_SUITE_P(Destinations, Undo, ::testing::Values("postgres", "duckdb"),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace maia::tests
