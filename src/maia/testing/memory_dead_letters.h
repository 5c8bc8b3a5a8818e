// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "maia/state/dead_letters.h"

namespace maia::testing {

/// Dead letters in memory, by the same rules as in the file. Outlives the runs that use it, as a state
/// directory does. Thread-safe.
class MemoryDeadLetters final : public DeadLetters {
 public:
  std::string identity() const override { return "memory"; }
  Status record(std::span<const DeadLetter> letters, const std::string& burial) override;
  Status settle(const std::string& destination, const std::string& burial) override;
  Result<std::vector<DeadLetter>> waiting(const std::string& destination, bool with_changes) override;
  Status overtake(const std::string& destination, std::span<const std::string> operation_ids) override;
  Status replayed(const std::string& destination, std::span<const std::string> operation_ids) override;

 private:
  struct Kept {
    DeadLetter letter;
    std::string burial;  ///< empty: it stands
  };
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Kept> letters_;  // by destination and operation id
};

}  // namespace maia::testing
