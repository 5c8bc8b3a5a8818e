// SPDX-License-Identifier: Apache-2.0
// PostgreSQL into MariaDB and MySQL: writers whose work balances at every commit, kill -9 of maia and of the
// destination at random moments, changes of shape among the rows. Nothing may be lost, doubled or torn.
// shows: postgres -> mysql
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using testing::MysqlProduct;

constexpr int kCoins = 200;

class MysqlMirror : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  void SetUp() override {
    auto postgres = testing::PostgresServer::start();
    ASSERT_TRUE(postgres.ok()) << postgres.error().message;
    source = std::move(*postgres);
    auto mysql = testing::MysqlServer::start({.product = GetParam(), .settings = {}});
    ASSERT_TRUE(mysql.ok()) << mysql.error().message;
    destination = std::move(*mysql);
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  void open(const std::string& tables, const std::string& more = {}) {
    // The ledger's tables are looked for in a schema of this name at both ends.
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: {}\n", source->uri(), tables),
                             fmt::format("type: mysql\nurl: {}\n", destination->uri("public")), more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  void expect_equal(const std::string& table) {
    auto left = testing::compared_postgres(source->uri());
    auto right = testing::compared_mysql(destination->uri());
    ASSERT_TRUE(left.ok() && right.ok());
    const auto compared = testing::compare(
        **left, **right, {.left = {"public", table}, .right = {"public", table}, .except = {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << table << "\n" << compared->report();
  }
  milliseconds moment() { return milliseconds(20 + static_cast<int>(random() % 1500)); }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::MysqlServer> destination;
  std::optional<Mirror> mirror;
  std::mt19937 random{20261125};
};
INSTANTIATE_TEST_SUITE_P(Into, MysqlMirror, ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlMirror, the_books_balance_whatever_is_killed) {
  const int kills = long_run() ? 100 : 8;
  testing::LedgerWorkload::Options options;
  options.uri = source->uri();
  options.coins = kCoins;
  options.opening_transactions = 3'000;
  const auto prepared = testing::LedgerWorkload::prepare(options);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  open("[ledger, acct, coin]");
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int kill = 0; kill < kills / 2; ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment());
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto copied = mirror->catch_up();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  LedgerReader reader([&] { return testing::compared_mysql(destination->uri()); }, kCoins, milliseconds(30));
  for (int kill = 0; kill < kills / 2; ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment());
    if (kill % 2 == 1) {
      destination->kill9();
      ASSERT_TRUE(destination->restart().ok()) << destination->log_tail();
      std::this_thread::sleep_for(moment());
    }
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const auto violations = reader.stop();
  EXPECT_TRUE(violations.empty()) << violations.size() << " times, first: " << violations.front();
  EXPECT_GT(reader.looks(), 0);
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_mysql(destination->uri());
  ASSERT_TRUE(left.ok() && right.ok());
  EXPECT_EQ(ledger_differences(**left, **right, kCoins), "");
  fmt::print("{} kills; {} transactions; the books balanced at {} looks\n", kills, workload.committed(),
             reader.looks());
}

TEST_P(MysqlMirror, a_table_changes_its_shape_among_its_rows_while_maia_is_killed) {
  execute(
      "create table shop (id int primary key, name text, made timestamptz default now(), price "
      "numeric(10,2), "
      "ok bool, doc jsonb, raw bytea, f real, d double precision, day date, at time);"
      "insert into shop select i, 'name ' || i, now(), i / 7.0, i % 2 = 0, jsonb_build_object('n', i), "
      "decode(md5(i::text), 'hex'), i / 3.0, i / 3.0, date '2026-01-01' + i, time '12:00' + i * interval '1 "
      "s' "
      "from generate_series(1, 500) i");
  open("[shop]");
  const auto copied = mirror->catch_up();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  expect_equal("shop");
  // Each of them in a transaction with rows before and after it.
  const std::vector<std::string> shapes{"alter table shop add more text not null default 'it''s'",
                                        "alter table shop rename name to title",
                                        "alter table shop alter id type bigint",
                                        "alter table shop drop price",
                                        "alter table shop rename title to price",
                                        "alter table shop add name int"};
  int id = 1000;
  for (const auto& shape : shapes) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment() / 3);
    execute(
        fmt::format("begin; insert into shop (id) values ({0}); update shop set ok = not ok where id % 5 = "
                    "{1}; {2}; insert into shop (id) values ({3}); delete from shop where id = {1}; commit",
                    id, id % 5, shape, id + 1));
    id += 2;
    std::this_thread::sleep_for(moment() / 3);
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_equal("shop");
}

}  // namespace
}  // namespace maia::tests
