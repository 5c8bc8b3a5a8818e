// SPDX-License-Identifier: Apache-2.0
// The recipe that found restart_lsn going backwards in PostgreSQL itself: a heavy load, checkpoints in a
// tight loop, and restarts of the server at random moments, some of them with recovery. Whatever the slot
// does, the destination ends equal.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "maia/testing/compare.h"
#include "maia/testing/postgres_cluster.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

int restarts() { return long_run() ? 60 : 4; }

class SourceRestarts : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = *std::move(started);
    pgbench = testing::postgres_binaries(source->version()).value() / "pgbench";
    const auto made = testing::ChildProcess::run({pgbench, "-i", "-q", "-s", "1", source->uri()});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  testing::ChildProcess load() {
    return testing::ChildProcess::start(
               {.command = {pgbench, "-n", "-c", "4", "-T", "3600", source->uri()}, .environment = {}})
        .value();
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::string pgbench;
  std::mt19937 random{20261125};
};

TEST_F(SourceRestarts, under_load_and_checkpoints_lose_and_repeat_nothing) {
  auto mirror = Mirror::make(
      fmt::format("type: postgres\nurl: {}\ntables: [pgbench_accounts, pgbench_branches, pgbench_tellers]\n",
                  source->uri()),
      "type: duckdb\npath: {}/copy.duckdb\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  ASSERT_TRUE(mirror->start().ok());
  for (int restart = 0; restart < restarts(); ++restart) {
    auto clients = load();
    {
      const std::jthread checkpoints([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) static_cast<void>(source->execute("checkpoint"));
      });
      std::this_thread::sleep_for(milliseconds(300 + random() % 1500));
    }
    const auto stopped = restart % 2 == 0 ? source->stop_immediately() : source->stop();
    ASSERT_TRUE(stopped.ok()) << stopped.error().message;
    const auto again = source->restart();
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    clients.kill9();
  }
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
  ASSERT_TRUE(left.ok() && right.ok());
  for (const std::string table : {"pgbench_accounts", "pgbench_branches", "pgbench_tellers"}) {
    const auto compared = testing::compare(
        **left, **right, {.left = {"public", table}, .right = {"public", table}, .except = {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << table << "\n" << compared->report();
  }
}

}  // namespace
}  // namespace maia::tests
