// SPDX-License-Identifier: Apache-2.0
// MariaDB and MySQL into DuckDB and PostgreSQL: a writer whose accounts balance at every commit, kill -9 of
// maia and of the source in the snapshot and in the stream, a change of shape among the rows. Nothing may be
// lost, doubled or torn.
// shows: mysql -> duckdb, postgres
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <tuple>

#include "maia/testing/duckdb_session.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using testing::MysqlProduct;

constexpr int kAccounts = 3'000;

class MysqlSourceKills : public ::testing::TestWithParam<std::tuple<MysqlProduct, std::string>> {
 protected:
  void SetUp() override {
    auto mysql = testing::MysqlServer::start({.product = std::get<0>(GetParam()), .settings = {}});
    ASSERT_TRUE(mysql.ok()) << mysql.error().message;
    source = std::move(*mysql);
    if (std::get<1>(GetParam()) == "duckdb") return;
    auto postgres = testing::PostgresServer::start();
    ASSERT_TRUE(postgres.ok()) << postgres.error().message;
    destination = std::move(*postgres);
  }
  void execute(const std::string& sql, const std::string& database = "") {
    const auto executed = source->execute(sql, database);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  void open() {
    const auto to = destination ? fmt::format("type: postgres\nurl: {}\n", destination->uri())
                                : std::string("type: duckdb\npath: {}/copy.duckdb\n");
    auto made = Mirror::make(
        fmt::format("type: mysql\nurl: {}\ntables: [\"shop.*\"]\nchunk_rows: 1000\n", source->uri("shop")),
        to);
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  /// Moves money about until `done`; errors while the server is down are its business.
  void work(const std::atomic<bool>& done) {
    std::mt19937 random(7);
    for (int i = 0; !done; ++i) {
      const auto from = 1 + random() % kAccounts, to = 1 + random() % kAccounts, amount = 1 + random() % 9;
      static_cast<void>(source->execute(fmt::format("begin; update account set cents = cents - {2} where id "
                                                    "= {0}; update account set cents = cents + "
                                                    "{2} where id = {1}; insert into transfer (low, high, "
                                                    "cents) values ({0}, {1}, {2}); savepoint s; "
                                                    "delete from account; rollback to s; commit",
                                                    from, to, amount),
                                        "shop"));
    }
  }
  std::vector<testing::Row> rows_at_destination(const std::string& sql) {
    if (destination) return destination->query(sql).value();
    return testing::DuckdbSession::open(mirror->directory() / "copy.duckdb").value().query(sql).value();
  }
  void expect_equal() {
    for (const std::string sql : {"select count(*), sum(cents), sum(cents * id) from shop.account",
                                  "select count(*), max(id), sum(cents * id) from "
                                  "shop.transfer",
                                  "select id, name, cents from shop.account where id % 97 = 0 order by id"}) {
      const auto theirs = source->query(sql);
      ASSERT_TRUE(theirs.ok()) << theirs.error().message;
      EXPECT_EQ(*theirs, rows_at_destination(sql)) << sql;
    }
  }

  std::unique_ptr<testing::MysqlServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  std::optional<Mirror> mirror;
};
INSTANTIATE_TEST_SUITE_P(Into, MysqlSourceKills,
                         ::testing::Combine(::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                                            ::testing::Values("duckdb", "postgres")),
                         [](const auto& each) {
                           return std::string(to_string(std::get<0>(each.param))) + "_" +
                                  std::get<1>(each.param);
                         });

TEST_P(MysqlSourceKills, nothing_is_lost_doubled_or_torn) {
  execute("create database shop");
  execute(
      "create table account (id int primary key, name varchar(40), cents bigint not null); create table "
      "transfer (id "
      "bigint primary key auto_increment, low int, high int, cents int)",
      "shop");
  for (int from = 1; from <= kAccounts; from += 500) {
    std::string values;
    for (int id = from; id < from + 500; ++id)
      values += fmt::format("{}({}, 'Zoë {}', 1000)", values.empty() ? "" : ", ", id, id);
    execute("insert into account values " + values, "shop");
  }
  open();
  std::atomic<bool> done = false;
  std::thread writer([&] { work(done); });
  std::mt19937 random(11);
  const int kills = long_run() ? 60 : 6;
  for (int i = 0; i < kills; ++i) {
    EXPECT_TRUE(mirror->start().ok());
    // At a random moment: during the copy at first, in the stream later.
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 1500));
    EXPECT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
    if (i == kills / 2) {
      source->kill9();
      EXPECT_TRUE(source->restart().ok());
      EXPECT_TRUE(
          source->execute("alter table account add column note varchar(9) default 'new'", "shop").ok());
    }
  }
  done = true;
  writer.join();
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_equal();
  EXPECT_EQ(rows_at_destination("select sum(cents) from shop.account")[0][0],
            std::to_string(kAccounts * 1000));
  EXPECT_EQ(rows_at_destination("select count(*) from shop.account where note = 'new'")[0][0],
            std::to_string(kAccounts));
}

}  // namespace
}  // namespace maia::tests
