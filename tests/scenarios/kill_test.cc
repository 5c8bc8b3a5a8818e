// SPDX-License-Identifier: Apache-2.0
// kill -9 of maia, of the source and of the destination at random moments of snapshot and stream, under
// writers whose work balances at every commit. Nothing may be lost, doubled or torn, and a reader of the
// destination must never see it out of balance.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

constexpr int kCoins = 200;

int kills() { return long_run() ? 200 : 20; }

std::string source_lines(const std::string& uri) {
  return fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin]\n", uri);
}

class Kill : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    options.uri = source->uri();
    options.coins = kCoins;
    options.opening_transactions = long_run() ? 50'000 : 10'000;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  }

  /// Half of the kills come within the first moments, when rows are being copied.
  milliseconds moment(int kill) {
    const int longest = kill < kills() / 2 ? 700 : 2500;
    return milliseconds(20 + static_cast<int>(random() % static_cast<unsigned>(longest)));
  }

  void check_equal(testing::ComparedSystem& destination) {
    auto left = testing::compared_postgres(source->uri());
    ASSERT_TRUE(left.ok()) << left.error().message;
    EXPECT_EQ(ledger_differences(**left, destination, kCoins), "");
  }

  std::unique_ptr<testing::PostgresServer> source;
  testing::LedgerWorkload::Options options;
  std::mt19937 random{20261123};
};

TEST_F(Kill, maia_into_duckdb_loses_doubles_and_tears_nothing) {
  auto mirror = Mirror::make(source_lines(source->uri()), "type: duckdb\npath: {}/copy.duckdb\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int kill = 0; kill < kills(); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment(kill));
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  auto destination = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
  ASSERT_TRUE(destination.ok()) << destination.error().message;
  check_equal(**destination);
}

TEST_F(Kill, maia_into_postgres_and_both_servers_in_turn) {
  auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
  ASSERT_TRUE(started.ok()) << started.error().message;
  auto& destination_server = **started;
  auto mirror = Mirror::make(source_lines(source->uri()),
                             fmt::format("type: postgres\nurl: {}\n", destination_server.uri()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int kill = 0; kill < kills() / 2; ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment(kill));
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  // From here on every table streams, so that whoever looks at any moment must find the books balanced.
  auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  LedgerReader reader(destination_server.uri(), kCoins, milliseconds(30));
  for (int kill = kills() / 2; kill < kills(); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(moment(kill));
    if (kill % 4 == 1) {
      ASSERT_TRUE(destination_server.kill9().ok());
      ASSERT_TRUE(destination_server.restart().ok());
      std::this_thread::sleep_for(moment(kill));
    } else if (kill % 4 == 3) {
      ASSERT_TRUE(source->kill9().ok());
      ASSERT_TRUE(source->restart().ok());
      std::this_thread::sleep_for(moment(kill));
    }
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const auto violations = reader.stop();
  EXPECT_TRUE(violations.empty()) << violations.size() << " times, first: " << violations.front();
  EXPECT_GT(reader.looks(), 10);
  auto destination = testing::compared_postgres(destination_server.uri());
  ASSERT_TRUE(destination.ok()) << destination.error().message;
  check_equal(**destination);
}

}  // namespace
}  // namespace maia::tests
