// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/compare.h"
#include "maia/testing/postgres_session.h"

namespace maia::testing {

/// Writers on a PostgreSQL whose work balances at every commit, so that a copy of it tells by itself what it
/// lost:
///
/// - `ledger(txn, seq, key, op, val)` and `acct(key, bal, ver)`: a transaction writes ledger rows that sum to
/// nothing and
///   applies each to its account. Always: bal = sum of val by key, ver = number of ledger rows of the key,
///   sum of bal = 0, seq dense from 0 within each txn.
/// - `coin(id, amount, note)`: coins are split, merged (a delete), renumbered (a key update), swapped, and
/// touched without
///   their large note. Always: the sum of amount is what it was.
///
/// Some transactions roll back, whole or to a savepoint; some are large.
class LedgerWorkload {
 public:
  struct Options {
    std::string uri;
    int writers = 3;
    int accounts = 100;
    int coins = 200;
    int opening_transactions = 1000;     ///< four ledger rows each, there before the writers start
    std::uint64_t seed = 1;              ///< of what the writers do; their interleaving is the server's
    std::chrono::milliseconds pause{2};  ///< of a writer between two transactions
    int large_transaction_rows = 2000;   ///< one transaction in two hundred has so many
  };

  /// Makes the three tables in schema public, with their opening rows.
  static Status prepare(const Options& options);

  explicit LedgerWorkload(Options options) : options_(std::move(options)) {}
  ~LedgerWorkload() { stopping_ = true; }

  void start();
  /// Lets each writer end its transaction; the first error that was not a lost connection or a conflict. A
  /// writer that met one has ended.
  Status stop();
  /// The first error so far. From any thread.
  Status outcome();
  /// Transactions whose commit the server answered. From any thread.
  std::uint64_t committed() const { return committed_; }

 private:
  void write(int writer);
  void keep(const Error& error);

  Options options_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> committed_ = 0;
  std::mutex mutex_;
  Status outcome_;  ///< guarded by mutex_
  std::vector<std::jthread> writers_;
};

/// What does not balance in a copy of the three tables, read in one statement and so from one state; empty if
/// all is well. `coins` is what the workload was prepared with. Holds whenever a reader looks, once the
/// snapshot is in.
Result<std::vector<std::string>> ledger_violations(ComparedSystem& system, const std::string& schema,
                                                   int coins);

}  // namespace maia::testing
