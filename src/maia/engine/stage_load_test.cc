// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/stage_load.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

using std::chrono::milliseconds;

class SetClock final : public Clock {
 public:
  Steady steady() override { return now; }
  WallMicros wall() override { return 0; }
  Steady now{milliseconds{1000}};
};

TEST(StageLoad, waits_add_up_and_one_that_is_not_over_counts) {
  SetClock clock;
  StageLoad load;
  EXPECT_EQ(load.waited(clock), milliseconds{0});
  {
    const StageLoad::Wait wait(load, clock);
    clock.now += milliseconds{30};
    EXPECT_EQ(load.waited(clock), milliseconds{30});
  }
  clock.now += milliseconds{500};
  EXPECT_EQ(load.waited(clock), milliseconds{30});
  {
    const StageLoad::Wait wait(load, clock);
    clock.now += milliseconds{12};
  }
  EXPECT_EQ(load.waited(clock), milliseconds{42});
}

}  // namespace
}  // namespace maia::engine
