// SPDX-License-Identifier: Apache-2.0
// One slot, three destinations: kill -9 of maia, of the source and of a destination at random moments.
// Nothing may be lost, doubled or torn in any of the three.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <thread>

#include "change_lines.h"
#include "ledger_check.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

constexpr int kCoins = 100;

int kills() { return long_run() ? 200 : 16; }

class KillThree : public ::testing::Test {
 protected:
  void SetUp() override {
    for (auto* server : {&source, &destination}) {
      auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
      ASSERT_TRUE(started.ok()) << started.error().message;
      *server = std::move(*started);
    }
    options.uri = source->uri();
    options.coins = kCoins;
    options.opening_transactions = long_run() ? 20'000 : 5'000;
    options.pause = milliseconds(5);
    options.large_transaction_rows = 500;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    auto made =
        Mirror::make_of(fmt::format("source: {{type: postgres, url: '{}', tables: [ledger, acct, coin]}}\n"
                                    "destinations:\n"
                                    "  lake: {{type: duckdb, path: '{{}}/copy.duckdb'}}\n"
                                    "  twin: {{type: postgres, url: '{}'}}\n"
                                    "  lines: {{type: file, path: '{{}}/changes.jsonl'}}\n",
                                    source->uri(), destination->uri()));
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }

  /// Half of the kills come within the first moments, when rows are being copied.
  void let_run(int kill) {
    const unsigned longest = kill < kills() / 2 ? 700 : 2000;
    std::this_thread::sleep_for(milliseconds(20 + random() % longest));
  }
  void kill_a_server() {
    auto& server = random() % 2 == 0 ? *source : *destination;
    ASSERT_TRUE(server.kill9().ok());
    ASSERT_TRUE(server.restart().ok());
  }

  void expect_exact() {
    auto left = testing::compared_postgres(source->uri());
    ASSERT_TRUE(left.ok()) << left.error().message;
    auto lake = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
    ASSERT_TRUE(lake.ok()) << lake.error().message;
    EXPECT_EQ(ledger_differences(**left, **lake, kCoins), "") << "DuckDB";
    auto twin = testing::compared_postgres(destination->uri());
    ASSERT_TRUE(twin.ok()) << twin.error().message;
    EXPECT_EQ(ledger_differences(**left, **twin, kCoins), "") << "PostgreSQL";
    std::ifstream file(mirror->directory() / "changes.jsonl");
    const auto lines = read_change_lines(file);
    EXPECT_TRUE(lines.faults.empty()) << lines.faults.size() << ", first: " << lines.faults.front();
    EXPECT_GT(lines.operations.size(), 0u) << "the writers did nothing while it streamed";
    const std::pair<const char*, const char*> kTables[] = {
        {"ledger", "select concat_ws('|', txn, seq), concat_ws('|', key, op, val) from ledger"},
        {"acct", "select key::text, concat_ws('|', bal, ver) from acct"},
        {"coin", "select id::text, concat_ws('|', amount, note) from coin"}};
    for (const auto& [table, sql] : kTables) {
      std::map<std::string, std::string> rows;
      for (const auto& row : source->query(sql).value()) rows[row[0].value()] = row[1].value();
      EXPECT_TRUE(lines.rows(table) == rows) << "the file's " << table << " is not the source's";
    }
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  testing::LedgerWorkload::Options options;
  std::optional<Mirror> mirror;
  std::mt19937 random{20261125};
};

TEST_F(KillThree, no_destination_loses_doubles_or_tears_anything) {
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int kill = 0; kill < kills(); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    let_run(kill);
    if (kill % 3 == 2) {
      kill_a_server();
      let_run(kill);
    }
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_exact();
}

}  // namespace
}  // namespace maia::tests
