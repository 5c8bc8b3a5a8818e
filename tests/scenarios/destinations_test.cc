// SPDX-License-Identifier: Apache-2.0
// Several destinations of one slot, each with its own transform and mode, at their own pace.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <simdjson.h>

#include <fstream>
#include <set>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;

constexpr int kAtFirst = 2000;

class Destinations : public ::testing::Test {
 protected:
  void SetUp() override {
    source = start();
    mart = start();
    execute(
        "create table orders (id bigint primary key, state text not null, amount bigint not null);"
        "create table notes (id bigint primary key, body text not null);"
        "insert into orders select i, 'new', i from generate_series(1, 2000) i;"
        "insert into notes select i, 'Note ' || i from generate_series(1, 500) i");
  }
  static std::unique_ptr<testing::PostgresServer> start() {
    auto started = testing::PostgresServer::start();
    EXPECT_TRUE(started.ok()) << started.error().message;
    return std::move(*started);
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  std::string head() const {
    return fmt::format("name: shop\nsource:\n  type: postgres\n  url: {}\n  tables: [orders, notes]\n",
                       source->uri());
  }
  static std::string lake() {
    return "  lake:\n    type: duckdb\n    path: {}/lake.duckdb\n"
           "    transform:\n      - {name: shout, tables: [notes], sql: 'SELECT id, upper(body) AS body FROM "
           "input'}\n";
  }
  std::string mart_lines() const {
    return fmt::format(
        "  mart:\n    type: postgres\n    url: {}\n    delivery: {{max_rows: 100}}\n"
        "    transform:\n      - {{name: large, tables: [orders], sql: 'SELECT * FROM input WHERE id % 2 = "
        "0'}}\n",
        mart->uri());
  }
  static std::string log_lines() {
    return "  log:\n    type: file\n    path: {}/log.jsonl\n    mode: append\n";
  }
  void run(const std::string& text) {
    auto made = Mirror::with_file(text);
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
    const auto started = maia->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  std::vector<std::string> asking(const std::string& destination, const std::string& sql) const {
    return {"query", sql, "--destination", destination, "--format", "csv", "--state", maia->state()};
  }
  /// Waits until a destination answers a count with this number.
  void await_count(const std::string& destination, const std::string& from, int count) {
    const auto there = maia->await(asking(destination, "select 'rows=' || count(*) || ';' as n from " + from),
                                   fmt::format("rows={};", count));
    ASSERT_TRUE(there.ok()) << there.error().message;
  }
  void await_in_mart(const std::string& table, int count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    const auto there = [&] {
      // The table may not be there yet.
      const auto rows = mart->query("select count(*) from " + table);
      return rows.ok() && rows->at(0).at(0) == std::to_string(count);
    };
    while (!there() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    ASSERT_TRUE(there()) << maia->log_tail();
  }
  int slots() {
    return std::stoi(*source->query("select count(*) from pg_replication_slots").value().at(0).at(0));
  }
  void expect_equal(testing::ComparedSystem& right, const std::string& view, const std::string& table) {
    auto left = testing::compared_postgres(source->uri());
    ASSERT_TRUE(left.ok()) << left.error().message;
    const auto compared = testing::compare(**left, right, {{"public", view}, {"public", table}, {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << view << "\n" << compared->report();
  }
  /// What the log's lines say of a table in the end: its keys.
  std::set<std::string> keys_in_log(const std::string& table) {
    std::set<std::string> keys;
    simdjson::dom::parser parser;
    std::ifstream lines(maia->directory() / "log.jsonl");
    for (std::string line; std::getline(lines, line);) {
      simdjson::dom::element change;
      EXPECT_EQ(parser.parse(line).get(change), simdjson::SUCCESS) << line;
      if (std::string_view(change.at_pointer("/source/table")) != table) continue;
      const auto key = simdjson::minify(change.at_pointer("/after/id"));
      if (std::string_view(change.at_pointer("/after/_maia_op")) == "d")
        keys.erase(key);
      else
        keys.insert(key);
    }
    return keys;
  }

  std::unique_ptr<testing::PostgresServer> source, mart;
  std::optional<Mirror> maia;
};

TEST_F(Destinations, one_that_is_down_holds_back_neither_the_others_nor_loses_anything) {
  execute(
      "create view wanted_notes as select id, upper(body) as body from notes;"
      "create view wanted_orders as select * from orders where id % 2 = 0");
  run(head() + "destinations:\n" + lake() + mart_lines() + log_lines());
  await_count("lake", "notes", 500);
  await_in_mart("orders", kAtFirst / 2);
  ASSERT_TRUE(mart->stop_immediately().ok());
  for (int step = 1; step <= 5; ++step) {
    execute(fmt::format("insert into orders select i, 'late', i from generate_series({}, {}) i",
                        kAtFirst + step * 1000, kAtFirst + step * 1000 + 299));
    // It arrives where nothing is broken, while the mart is down.
    await_count("lake", "orders", kAtFirst + step * 300);
  }
  execute("update notes set body = body || ' changed' where id % 3 = 0; delete from orders where id % 7 = 0");
  EXPECT_EQ(slots(), 1);
  const auto status = maia->command({"status", "--state", maia->state()});
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_THAT(*status, HasSubstr("-> mart: waiting to retry"));
  ASSERT_TRUE(mart->restart().ok());
  const auto back = maia->await({"status", "--state", maia->state()}, "-> mart: streaming, lag 0 ms");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  ASSERT_TRUE(maia->catch_up().ok()) << maia->log_tail();
  auto in_lake = testing::compared_duckdb(maia->directory() / "lake.duckdb");
  auto in_mart = testing::compared_postgres(mart->uri());
  ASSERT_TRUE(in_lake.ok() && in_mart.ok());
  expect_equal(**in_lake, "wanted_notes", "notes");
  expect_equal(**in_lake, "orders", "orders");
  expect_equal(**in_mart, "notes", "notes");
  expect_equal(**in_mart, "wanted_orders", "orders");
  std::set<std::string> keys;
  for (const auto& row : source->query("select id::text from orders").value()) keys.insert(row[0].value());
  EXPECT_EQ(keys_in_log("orders"), keys);
  EXPECT_EQ(slots(), 1);
}

TEST_F(Destinations, each_says_its_guarantee_at_the_start) {
  run(head() + "destinations:\n" + lake() + mart_lines() + log_lines());
  await_count("lake", "notes", 500);
  EXPECT_THAT(maia->log_tail(), HasSubstr("lake: exactly once"));
  EXPECT_THAT(maia->log_tail(), HasSubstr("mart: exactly once"));
  EXPECT_THAT(maia->log_tail(), HasSubstr("log: "));
}

TEST_F(Destinations, one_that_is_added_later_gets_its_own_snapshot_and_the_others_are_not_disturbed) {
  run(head() + "destinations:\n" + lake() + log_lines());
  await_count("lake", "orders", kAtFirst);
  execute("insert into orders select i, 'late', i from generate_series(3001, 3100) i");
  await_count("lake", "orders", kAtFirst + 100);
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  execute("insert into orders select i, 'later', i from generate_series(4001, 4100) i");
  maia->write(head() + "destinations:\n" + lake() + mart_lines() + log_lines());
  ASSERT_TRUE(maia->catch_up().ok()) << maia->log_tail();
  execute("create view wanted_orders as select * from orders where id % 2 = 0");
  auto in_lake = testing::compared_duckdb(maia->directory() / "lake.duckdb");
  auto in_mart = testing::compared_postgres(mart->uri());
  ASSERT_TRUE(in_lake.ok() && in_mart.ok());
  expect_equal(**in_lake, "orders", "orders");
  expect_equal(**in_mart, "wanted_orders", "orders");
  EXPECT_EQ(keys_in_log("orders").size(), 2200u);
  EXPECT_EQ(slots(), 1);
}

}  // namespace
}  // namespace maia::tests
