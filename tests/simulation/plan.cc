// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace maia::simulation {
namespace {

constexpr std::uint64_t kTicks = 600;

void add(Plan& plan, Dice& dice, Event::What what, std::uint64_t at_most) {
  for (std::uint64_t i = 0, n = dice.between(1, at_most); i < n; ++i) {
    plan.events.push_back({what, dice.roll(kTicks), dice.seed()});
  }
}

void add_faults(Plan& plan, Dice& dice) {
  using What = Event::What;
  // Each run has some kinds of trouble and not others, so that none hides another.
  struct Trouble {
    What what;
    std::uint64_t at_most;
    std::uint64_t chance;
  };
  constexpr Trouble kTroubles[] = {
      {What::cut_source, 4, 40},      {What::restart_source, 3, 30},   {What::fail_source, 6, 40},
      {What::cut_destination, 4, 40}, {What::fail_destination, 6, 40}, {What::fail_disk, 3, 25},
      {What::crash, 5, 50},           {What::lose_state, 1, 15},       {What::take_over, 2, 25},
      {What::jump_clock, 3, 30},      {What::command, 12, 40},         {What::quiet, 2, 30},
  };
  for (const auto& trouble : kTroubles) {
    if (dice.percent(trouble.chance)) add(plan, dice, trouble.what, trouble.at_most);
  }
}

}  // namespace

std::string_view to_string(Event::What what) {
  switch (what) {
    case Event::What::create_table: return "a table is created";
    case Event::What::transaction: return "a transaction begins";
    case Event::What::cut_source: return "the source cannot be reached";
    case Event::What::restart_source: return "the source restarts";
    case Event::What::fail_source: return "a call of the source will fail";
    case Event::What::cut_destination: return "a destination cannot be reached";
    case Event::What::fail_destination: return "a call of a destination will fail";
    case Event::What::fail_disk: return "a call of the disk will fail";
    case Event::What::crash: return "maia will crash";
    case Event::What::lose_state: return "maia crashes and its journal is deleted";
    case Event::What::take_over: return "maia stalls, and another takes its place on another machine";
    case Event::What::jump_clock: return "the clock jumps";
    case Event::What::command: return "somebody asks for something";
    case Event::What::quiet: return "all is well until everything is delivered";
  }
  return "";
}

Plan Plan::of(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  const auto sometimes = [&] { return dice.percent(50); };
  plan.habits = {sometimes(), sometimes(), sometimes(), sometimes(), sometimes(), sometimes(), sometimes()};
  for (std::uint64_t i = 0, n = 1 + dice.roll(2) + dice.roll(2); i < n; ++i) {
    const auto kind = dice.roll(6);
    plan.destinations.push_back(kind < 3 ? Kind::mirror : static_cast<Kind>(kind - 2));
  }
  auto& setup = plan.setup;
  setup.source.has_rows = seed % 4 != 2;
  setup.source.send_all = std::find(plan.destinations.begin(), plan.destinations.end(), Kind::overwriting) !=
                          plan.destinations.end();
  // A log has a deletion and an insertion where a key moves, and so always the whole row.
  if (!setup.source.has_rows && (plan.habits.key_updates || plan.habits.swaps)) setup.source.send_all = true;
  if (sometimes()) setup.source.stream_after = dice.between(1, 8);
  setup.source.group = dice.between(1, 4);
  setup.source.chunks = dice.between(1, 5);
  if (sometimes()) setup.segment_bytes = dice.between(600, 8000);
  if (sometimes()) setup.recent_bytes = dice.between(0, 3000);
  setup.max_rows = dice.between(1, 30);
  if (sometimes()) setup.retain_bytes = dice.between(0, 20'000);
  if (dice.percent(30)) plan.lost_answers = dice.between(2, 15);
  for (std::uint64_t i = 0, n = dice.between(1, 3); i < n; ++i) {
    plan.events.push_back({Event::What::create_table, 0, dice.seed()});
  }
  add(plan, dice, Event::What::transaction, sometimes() ? 60 : 20);
  if (plan.habits.schema_changes && sometimes()) add(plan, dice, Event::What::create_table, 1);
  add_faults(plan, dice);
  std::stable_sort(plan.events.begin(), plan.events.end(),
                   [](const Event& a, const Event& b) { return a.tick < b.tick; });
  return plan;
}

std::string to_string(const Dropped& dropped) {
  std::string text;
  for (auto at = dropped.begin(); at != dropped.end();) {
    const auto first = *at;
    auto last = first;
    while (++at != dropped.end() && *at == last + 1) ++last;
    if (!text.empty()) text += ",";
    text += first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

Dropped parse_dropped(const std::string& text) {
  Dropped dropped;
  std::istringstream in(text);
  std::string part;
  while (std::getline(in, part, ',')) {
    const auto dash = part.find('-');
    const auto first = std::stoull(part);
    const auto last = dash == part.npos ? first : std::stoull(part.substr(dash + 1));
    for (auto i = first; i <= last; ++i) dropped.insert(i);
  }
  return dropped;
}

}  // namespace maia::simulation
