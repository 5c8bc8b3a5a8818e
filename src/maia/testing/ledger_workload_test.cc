// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/ledger_workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "maia/testing/duckdb_session.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/temporary_directory.h"

namespace maia::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Ledger : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = shared_postgres().make_database().value();
    options_ = {.uri = shared_postgres().uri(database_), .opening_transactions = 100};
    const auto prepared = LedgerWorkload::prepare(options_);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    system_ = compared_postgres(options_.uri).value();
  }
  std::vector<std::string> violations() {
    auto found = ledger_violations(*system_, "public", options_.coins);
    return found.ok() ? *found : std::vector<std::string>{found.error().message};
  }
  void change(const std::string& sql) {
    const auto done = shared_postgres().execute(sql, database_);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  std::string database_;
  LedgerWorkload::Options options_;
  std::unique_ptr<ComparedSystem> system_;
};

TEST_F(Ledger, balances_at_every_moment_while_writers_run) {
  options_.pause = std::chrono::milliseconds(0);
  LedgerWorkload workload(options_);
  workload.start();
  while (workload.committed() < 600) ASSERT_THAT(violations(), IsEmpty());
  const auto stopped = workload.stop();
  ASSERT_TRUE(stopped.ok()) << stopped.error().message;
  EXPECT_THAT(violations(), IsEmpty());
  const auto counts =
      shared_postgres()
          .query(
              "select count(*) filter (where op = 'transfer') > 1000, count(*) filter (where op = "
              "'undone'), (select count(*) filter (where note = 'split') > 0 and max(id) > 200 and "
              "count(*) filter (where id < 0) = 0 from coin) from ledger",
              database_)
          .value();
  EXPECT_THAT(counts, ElementsAre(Row{"t", "0", "t"}));
}

TEST_F(Ledger, each_kind_of_damage_is_named) {
  EXPECT_THAT(violations(), IsEmpty());
  change(
      "update ledger set val = val + 1 where txn = 1 and seq = 0; update ledger set val = val - 1 "
      "where txn = 1 and seq = 1");
  EXPECT_THAT(violations(), ElementsAre("2 accounts whose balance is not the sum of their ledger rows"));
  change(
      "update ledger set val = val - 1 where txn = 1 and seq = 0; update ledger set val = val + 1 "
      "where txn = 1 and seq = 1; update acct set ver = ver + 1 where key = 7");
  EXPECT_THAT(violations(), ElementsAre("1 accounts whose version is not their number of ledger rows"));
  change("update acct set ver = ver - 1 where key = 7; delete from coin where id = 3");
  EXPECT_THAT(violations(), ElementsAre("1 sum of all coins that has changed"));
  change("delete from ledger where txn = 5 and seq = 3");
  EXPECT_THAT(violations(), ::testing::Contains("1 transactions that are torn"));
  change("update acct set bal = bal + 1 where key = 9");
  EXPECT_THAT(violations(), ::testing::Contains("1 sum of all balances that is not 0"));
}

TEST_F(Ledger, survives_a_kill_of_its_server) {
  auto server = PostgresServer::start().value();
  options_.uri = server->uri();
  ASSERT_TRUE(LedgerWorkload::prepare(options_).ok());
  LedgerWorkload workload(options_);
  workload.start();
  while (workload.committed() < 20) std::this_thread::yield();
  ASSERT_TRUE(server->kill9().ok());
  const auto before = workload.committed();
  ASSERT_TRUE(server->restart().ok());
  while (workload.committed() < before + 20) std::this_thread::yield();
  const auto stopped = workload.stop();
  ASSERT_TRUE(stopped.ok()) << stopped.error().message;
  system_ = compared_postgres(options_.uri).value();
  EXPECT_THAT(violations(), IsEmpty());
}

TEST_F(Ledger, a_wrong_statement_is_reported_not_repeated) {
  change("alter table acct drop column ver");
  LedgerWorkload workload(options_);
  workload.start();
  while (workload.outcome().ok()) std::this_thread::yield();
  const auto stopped = workload.stop();
  ASSERT_FALSE(stopped.ok());
  EXPECT_THAT(stopped.error().message, HasSubstr("column \"ver\" does not exist"));
}

}  // namespace
}  // namespace maia::testing
