// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "maia/base/clock.h"
#include "maia/base/result.h"

namespace maia::engine {

/// A row that could not be delivered, kept with what is needed to look at it and to send it again.
struct DeadLetter {
  std::string operation_id;  ///< the same after every restart, so that recording twice is recording once
  std::string destination;
  std::string table;  ///< at the source
  std::string stage;  ///< "transform"
  std::string reason;
  std::string row;  ///< values as the source sent them, JSON
  std::string position;
  WallMicros failed_at = 0;
};

/// Keeps dead letters. `record` returns when they are durable, and the rows' window is committed after that.
/// Thread-safe.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  virtual Status record(std::span<const DeadLetter> letters) = 0;
};

}  // namespace maia::engine
