// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace maia {

/// Microseconds since 1970-01-01 00:00 UTC; the time of commits, logs and metrics.
using WallMicros = std::int64_t;

/// Where the engine gets its time from, so that the simulator can own it. Thread-safe.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual Steady steady() = 0;
  virtual WallMicros wall() = 0;
};

/// The machine's own clock; lives for ever.
Clock& system_clock();

}  // namespace maia
