// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_schedule.h"

#include <gtest/gtest.h>

#include <set>

namespace maia::testing {
namespace {

using std::chrono::milliseconds;

std::string words(std::uint64_t seed) {
  std::string text;
  for (const auto& step : random_faults(seed, 20, milliseconds(900))) text += to_string(step) + "\n";
  return text;
}

TEST(FaultSchedule, is_the_same_for_the_same_seed) {
  EXPECT_EQ(words(7), words(7));
  EXPECT_NE(words(7), words(8));
}

TEST(FaultSchedule, has_every_fault_within_bounds) {
  std::set<Fault> seen;
  std::set<std::string> names;
  for (const auto& step : random_faults(1, 1000, milliseconds(900))) {
    seen.insert(step.fault);
    const auto text = to_string(step);
    names.insert(text.substr(0, text.find_first_of(" ,")));
    EXPECT_GT(step.bytes, 0u);
    EXPECT_LE(step.lasts, milliseconds(900));
    EXPECT_GE(step.lasts, milliseconds(50));
  }
  EXPECT_EQ(seen.size(), kFaultNames.size());
  EXPECT_EQ(names, std::set<std::string>(kFaultNames.begin(), kFaultNames.end()));
}

}  // namespace
}  // namespace maia::testing
