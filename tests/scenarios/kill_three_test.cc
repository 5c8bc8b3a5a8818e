// SPDX-License-Identifier: Apache-2.0
// One slot, three destinations: kill -9 of maia, of the source and of a destination at random moments.
// Nothing may be lost, doubled or torn in any of the three.
// shows: postgres -> duckdb, postgres, file
#include <gtest/gtest.h>

#include "three_destinations.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

class KillThree : public ThreeDestinations {};

TEST_F(KillThree, no_destination_loses_doubles_or_tears_anything) {
  const int kills = long_run() ? 200 : 16;
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int kill = 0; kill < kills; ++kill) {
    // Half of the kills come within the first moments, when rows are being copied.
    const milliseconds longest(kill < kills / 2 ? 700 : 2000);
    ASSERT_TRUE(mirror->start().ok());
    let_run(longest);
    if (kill % 3 == 2) {
      kill_a_server();
      let_run(longest);
    }
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  // However slow the machine was, the last one dies while it streams.
  ASSERT_TRUE(mirror->start().ok());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (read_lines().operations.empty()) {
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "nothing came by the stream";
    let_run(milliseconds(200));
  }
  mirror->kill9();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_databases_exact();
  const auto lines = read_lines();
  EXPECT_TRUE(lines.faults.empty()) << lines.faults.size() << ", first: " << lines.faults.front();
  EXPECT_GT(lines.operations.size(), 0u);
  expect_lines_hold(lines, {"ledger", "acct", "coin"});
}

}  // namespace
}  // namespace maia::tests
