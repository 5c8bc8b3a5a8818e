// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "destination.h"
#include "process.h"
#include "workload.h"

namespace maia::simulation {

/// One thing that happens to the world at a tick. What exactly follows from its own seed, so that leaving out
/// another changes nothing of it.
struct Event {
  enum class What : std::uint8_t {
    create_table,
    transaction,
    cut_source,
    restart_source,
    fail_source,
    cut_destination,
    fail_destination,
    fail_disk,
    crash,
    lose_state,
    take_over,
    jump_clock,
    command,
    quiet,
  };
  What what = What::transaction;
  std::uint64_t tick = 0;
  std::uint64_t seed = 0;
};
std::string_view to_string(Event::What what);

/// All that happens in one run, made from its seed before it begins.
struct Plan {
  std::uint64_t seed = 0;
  Habits habits;
  Setup setup;
  std::vector<Kind> destinations;
  std::uint64_t lost_answers = 0;
  std::vector<Event> events;  ///< by tick

  static Plan of(std::uint64_t seed);
};

/// Numbers of events in Plan::events that are left out: "3,7,9-12".
using Dropped = std::set<std::size_t>;
std::string to_string(const Dropped& dropped);
Dropped parse_dropped(const std::string& text);

}  // namespace maia::simulation
