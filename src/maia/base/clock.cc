// SPDX-License-Identifier: Apache-2.0
#include "maia/base/clock.h"

namespace maia {
namespace {

class SystemClock final : public Clock {
 public:
  Steady steady() override { return std::chrono::steady_clock::now(); }
  WallMicros wall() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace maia
