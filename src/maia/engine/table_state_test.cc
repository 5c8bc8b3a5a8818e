// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/table_state.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace maia::engine {
namespace {

/// One row per state, one column per event, in the order of the enums; "-" where nothing happens.
constexpr std::array<std::array<const char*, 8>, 7> kExpected = {{
    // read        copied         met          pause     resume         reread     fail           remove
    {"snapshot", "-", "-", "paused", "-", "waiting", "quarantined", "removed"},            // waiting
    {"snapshot", "catching up", "-", "paused", "-", "waiting", "quarantined", "removed"},  // snapshot
    {"-", "-", "streaming", "paused", "-", "waiting", "quarantined", "removed"},           // catching up
    {"-", "-", "-", "paused", "-", "waiting", "quarantined", "removed"},                   // streaming
    {"-", "-", "-", "-", "catching up", "waiting", "-", "removed"},                        // paused
    {"-", "-", "-", "paused", "catching up", "waiting", "-", "removed"},                   // quarantined
    {"-", "-", "-", "-", "-", "waiting", "-", "-"},                                        // removed
}};

TEST(TableState, every_pair_of_state_and_event_leads_where_the_table_says_or_nowhere) {
  for (std::size_t from = 0; from < kTableStates.size(); ++from) {
    for (std::size_t event = 0; event < kTableEvents.size(); ++event) {
      const auto next = next_state(kTableStates[from], kTableEvents[event]);
      EXPECT_EQ(next ? to_string(*next) : "-", kExpected[from][event])
          << to_string(kTableStates[from]) << " on " << to_string(kTableEvents[event]);
    }
  }
}

TEST(TableState, no_pair_is_listed_twice_and_every_state_can_be_reached_and_left) {
  std::set<std::pair<TableState, TableEvent>> pairs;
  std::set<TableState> reached, left;
  for (const auto& transition : kTableTransitions) {
    EXPECT_TRUE(pairs.emplace(transition.from, transition.event).second)
        << to_string(transition.from) << " on " << to_string(transition.event);
    if (transition.to != transition.from) {
      reached.insert(transition.to);
      left.insert(transition.from);
    }
  }
  EXPECT_EQ(reached.size(), kTableStates.size());
  EXPECT_EQ(left.size(), kTableStates.size());
}

}  // namespace
}  // namespace maia::engine
