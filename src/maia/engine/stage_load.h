// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "maia/base/clock.h"

namespace maia::engine {

/// How much one stage of a pipeline holds in memory, and how long it has waited for the stage after it: the
/// backpressure that it feels. Thread-safe; one thread waits at a time, or several that count together.
class StageLoad {
 public:
  void hold(std::uint64_t bytes) { held_bytes_ = bytes; }
  std::uint64_t held_bytes() const { return held_bytes_; }
  /// What has been waited until now, a wait that is not over included.
  std::chrono::microseconds waited(Clock& clock) const {
    const auto since = waiting_since_.load();
    return std::chrono::microseconds(waited_ + (since == 0 ? 0 : micros(clock) - since));
  }

  /// Counts as waiting until it is destroyed.
  class Wait {
   public:
    Wait(StageLoad& load, Clock& clock) : load_(load), clock_(clock), since_(micros(clock)) {
      load_.waiting_since_ = since_;
    }
    ~Wait() {
      load_.waiting_since_ = 0;
      load_.waited_ += micros(clock_) - since_;
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    StageLoad& load_;
    Clock& clock_;
    const std::int64_t since_;
  };

 private:
  static std::int64_t micros(Clock& clock) {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock.steady().time_since_epoch()).count();
  }

  std::atomic<std::uint64_t> held_bytes_{0};
  std::atomic<std::int64_t> waited_{0};
  std::atomic<std::int64_t> waiting_since_{0};  ///< 0: does not wait
};

}  // namespace maia::engine
