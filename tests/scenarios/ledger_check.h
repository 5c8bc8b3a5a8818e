// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "maia/testing/compare.h"

namespace maia::tests {

/// Every way in which a copy of the ledger workload's tables differs from its source, or does not balance;
/// empty if there is none. `coins` is what the workload was prepared with.
std::string ledger_differences(testing::ComparedSystem& source, testing::ComparedSystem& copy, int coins);

/// Looks at a destination again and again while others work on it, and keeps what did not balance.
/// To be started once its snapshots are in.
class LedgerReader {
 public:
  using Open = std::function<Result<std::unique_ptr<testing::ComparedSystem>>()>;
  /// `open` is called for each look; where it or the look fails, the destination was not there.
  LedgerReader(Open open, int coins, std::chrono::milliseconds pause);
  /// What it found; empty if all was well.
  std::vector<std::string> stop();
  int looks() const { return looks_; }

 private:
  void look(const std::stop_token& stop);

  const Open open_;
  const int coins_;
  const std::chrono::milliseconds pause_;
  std::atomic<int> looks_{0};
  std::vector<std::string> violations_;
  std::jthread thread_;
};

}  // namespace maia::tests
