// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/base/clock.h"

namespace maia::simulation {

/// Time that passes when the simulator says so. The wall clock may also jump, in both directions.
class SimulatedClock final : public Clock {
 public:
  Steady steady() override { return Steady(std::chrono::milliseconds(now_)); }
  WallMicros wall() override { return (now_ + wall_offset_) * 1000; }
  std::int64_t now() const { return now_; }
  void pass(std::chrono::milliseconds time) { now_ += time.count(); }
  void jump(std::int64_t milliseconds) { wall_offset_ += milliseconds; }

 private:
  std::int64_t now_ = 1'000'000;
  std::int64_t wall_offset_ = 1'700'000'000'000;
};

}  // namespace maia::simulation
