// SPDX-License-Identifier: Apache-2.0
// MariaDB and MySQL into DuckDB and PostgreSQL: writers of several GTID domains and tags whose accounts
// balance at every commit, kill -9 of maia and of the source in the snapshot and in the stream, a change of
// shape among the rows. Nothing may be lost, doubled or torn.
// shows: mysql -> duckdb, postgres
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <tuple>

#include "maia/testing/duckdb_session.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"
#include "mysql_transfers.h"

namespace maia::tests {
namespace {

using testing::MysqlProduct;

class MysqlSourceKills : public ::testing::TestWithParam<std::tuple<MysqlProduct, std::string>> {
 protected:
  void SetUp() override {
    auto mysql = testing::MysqlServer::start({.product = std::get<0>(GetParam()), .settings = {}});
    ASSERT_TRUE(mysql.ok()) << mysql.error().message;
    source = std::move(*mysql);
    const auto prepared = MysqlTransfers::prepare(*source);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    if (std::get<1>(GetParam()) == "duckdb") return;
    auto postgres = testing::PostgresServer::start();
    ASSERT_TRUE(postgres.ok()) << postgres.error().message;
    destination = std::move(*postgres);
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
  Result<testing::Rows> at_destination(const std::string& sql) {
    if (destination) return destination->query(sql);
    return MAIA_TRY(testing::DuckdbSession::open(mirror->directory() / "copy.duckdb")).query(sql);
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
  open();
  MysqlTransfers transfers(*source);
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
  transfers.stop();
  // A new column comes with the next change of its table.
  EXPECT_TRUE(source->execute("update account set name = 'last' where id = 1", "shop").ok());
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_equal_transfers(*source, [&](const auto& sql) { return at_destination(sql); });
  EXPECT_EQ(at_destination("select count(*) from shop.account where note = 'new'").value()[0][0],
            std::to_string(MysqlTransfers::kAccounts));
}

}  // namespace
}  // namespace maia::tests
