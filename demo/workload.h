// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "maia/base/result.h"
#include "shop.h"

namespace maia::demo {

/// People who use the shop: threads that place, pay, change and cancel orders, reprice products and edit
/// customers, at a gentle pace, with a rollback now and then. Runs from construction to `stop`.
class Workload {
 public:
  Workload(std::string uri, const ShopSize& size, int people);
  ~Workload() { (void)stop(); }

  /// Ends it and waits. The first error that a person met.
  Status stop();
  std::uint64_t transactions() const { return transactions_; }

 private:
  Status live(int person, std::stop_token stop);

  const std::string uri_;
  const ShopSize size_;
  std::atomic<std::uint64_t> transactions_{0};
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_
  std::vector<std::jthread> people_;
};

}  // namespace maia::demo
