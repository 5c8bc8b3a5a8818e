// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include "change_lines.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {

/// The ledger workload's tables from one slot into three destinations: `lake` (DuckDB), `twin` (PostgreSQL)
/// and `lines` (a file of changes).
class ThreeDestinations : public ::testing::Test {
 protected:
  static constexpr int kCoins = 100;

  void SetUp() override;

  /// The pipeline file (Mirror::write) with these tables and more top-level lines.
  std::string file_text(const std::string& tables, const std::string& more) const;
  /// Lets things happen for a random while.
  void let_run(std::chrono::milliseconds longest);
  /// kill -9 and restart of the source or of the PostgreSQL destination.
  void kill_a_server();
  /// Nobody writes, and `maia` has ended: every row of the two databases is the source's.
  void expect_databases_exact();
  /// The same for what a reader of the file puts together of these tables.
  void expect_lines_hold(const ChangeLines& lines, const std::vector<std::string>& tables);
  ChangeLines read_lines() const;

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  testing::LedgerWorkload::Options options;
  std::optional<Mirror> mirror;
  std::mt19937_64 random{20261125};
};

}  // namespace maia::tests
