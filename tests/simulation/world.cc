// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <fmt/format.h>

#include <algorithm>

#include "operator.h"

namespace maia::simulation {
namespace {

using Crash = testing::FaultDisk::Crash;
constexpr std::uint64_t kStepsToSettle = 8000;

/// Whether somebody has paused it or a table of it.
bool rests(const engine::DestinationStatus& destination) {
  return destination.state == "paused" ||
         std::any_of(destination.tables.begin(), destination.tables.end(),
                     [](const auto& table) { return table.second.state == engine::TableState::paused; });
}

}  // namespace

World::World(const Plan& plan, const Dropped& dropped, bool in_words)
    : plan_(plan),
      dropped_(dropped),
      trace_(in_words),
      dice_(plan.seed ^ 0x5EED),
      surroundings_{clock_, trace_, dice_, weather_, database_, oracle_, stores_, plan.setup} {
  for (const auto kind : plan.destinations) {
    stores_.push_back(std::make_unique<Store>());
    auto& store = *stores_.back();
    store.kind = kind;
    store.name = fmt::format("{} {}", to_string(kind), stores_.size());
    store.lost_answers = plan.lost_answers;
    store.flaw = plan.setup.source.flaw;
    oracle_.watch(store);
  }
  if (!plan.setup.source.has_rows) oracle_.expect_no_copies();
  machines_.push_back(std::make_unique<Machine>(plan.seed));
}

Outcome World::run() {
  std::uint64_t now = 0;
  for (std::size_t i = 0; i < plan_.events.size() && !trace_.failed(); ++i) {
    const auto& event = plan_.events[i];
    for (; now < event.tick && !trace_.failed(); ++now) tick();
    if (!dropped_.contains(i) && !trace_.failed()) happen(event, i);
  }
  for (int i = 0; i < 50 && !trace_.failed(); ++i) tick();
  if (!trace_.failed()) settle();
  process_.reset();
  stalled_.reset();
  return {trace_.failure(), trace_.hash(), oracle_.checks(), steps_, trace_.lines()};
}

void World::happen(const Event& event, std::size_t number) {
  trace_.tell(fmt::format("{} (tick {}) {}", number, event.tick, to_string(event.what)));
  Dice dice(event.seed);
  const auto recovery = [&] { return dice.percent(50) ? Recovery::retry : Recovery::reconnect; };
  auto& destination = stores_[dice.roll(stores_.size())]->name;
  switch (event.what) {
    case Event::What::create_table:
      RunningTransaction(database_, plan_.habits, event.seed).create_table();
      return;
    case Event::What::transaction:
      transactions_.push_back(std::make_unique<RunningTransaction>(database_, plan_.habits, event.seed));
      return;
    case Event::What::cut_source: return cut("source", dice);
    case Event::What::restart_source:
      cut("source", dice);
      if (database_.slot) {
        auto& slot = *database_.slot;
        dice.percent(50) ? slot.on_disk = slot.confirmed : slot.confirmed = slot.on_disk;
      }
      return;
    case Event::What::fail_source: return weather_.fail("source", {"", dice.roll(10), recovery()});
    case Event::What::cut_destination: return cut(destination, dice);
    case Event::What::fail_destination: return weather_.fail(destination, {"", dice.roll(15), recovery()});
    case Event::What::fail_disk:
      ++disk_faults_;
      return machines_.back()->disk.fail_call(dice.between(1, 8), dice.percent(50)
                                                                      ? testing::FaultDisk::Fault::no_space
                                                                      : testing::FaultDisk::Fault::io_error);
    case Event::What::crash: return crash(dice);
    case Event::What::lose_state:
      if (process_) process_->life().die();
      process_.reset();
      machines_.push_back(std::make_unique<Machine>(event.seed));
      return;
    case Event::What::take_over: return take_over(dice);
    case Event::What::jump_clock:
      dice.percent(50) ? clock_.pass(std::chrono::milliseconds(dice.roll(3'600'000)))
                       : clock_.jump(static_cast<std::int64_t>(dice.roll(7'200'000)) - 3'600'000);
      return;
    case Event::What::command: return command(dice);
    case Event::What::quiet: return settle();
  }
}

void World::cut(const std::string& system, Dice& dice) {
  weather_.cut(system, dice.percent(50) ? 0 : static_cast<std::int64_t>(dice.roll(5000)));
}

void World::crash(Dice& dice) {
  constexpr Crash kCrashes[] = {Crash::forget, Crash::tear, Crash::keep};
  machines_.back()->on_death = kCrashes[dice.roll(3)];
  start_at_ = clock_.now() + static_cast<std::int64_t>(dice.roll(2000));
  if (process_) process_->life().die_after(dice.percent(50) ? 0 : dice.roll(30));
}

void World::take_over(Dice& dice) {
  if (!process_ || stalled_) return;
  ++take_overs_;
  stalled_ = std::move(process_);
  wakes_at_ = clock_.now() + static_cast<std::int64_t>(dice.roll(5000));
  machines_.push_back(std::make_unique<Machine>(dice.seed()));
  if (database_.slot) database_.slot->user = 0;
}

void World::command(Dice& dice) {
  if (!process_ || process_->life().dead()) return;
  const auto deliveries = process_->runtime().deliveries();
  if (!deliveries.empty()) ask_something(*dice.one_of(deliveries), database_, dice, trace_);
}

void World::tick() {
  work();
  start_if_due();
  const auto what = dice_.roll(10);
  if (what == 0) clock_.pass(std::chrono::milliseconds(dice_.roll(300)));
  step_processes();
}

void World::work() {
  for (auto& transaction : transactions_) {
    if (transaction->step()) transaction.reset();
  }
  std::erase(transactions_, nullptr);
}

void World::start_if_due() {
  if (process_ || clock_.now() < start_at_ || database_.now().empty()) return;
  process_ = std::make_unique<Process>(surroundings_, *machines_.back(), fmt::format("maia {}", ++processes_),
                                       [this](std::chrono::milliseconds time) {
                                         clock_.pass(time);
                                         work();
                                       });
  auto* starting = process_.get();
  const auto started = starting->start();
  if (started.ok() || starting->life().dead()) return;
  trace_.tell(fmt::format("  {} could not start: {}", starting->name(), started.error().message));
  const bool disk = started.error().code == Error::Code::storage;
  if (disk && disk_faults_ > 0) {
    process_.reset();
    start_at_ = clock_.now() + 1000;
    return;
  }
  trace_.fail("maia does not start: " + started.error().message);
  process_.reset();
}

void World::step_processes() {
  ++steps_;
  bool stepped = false;
  if (stalled_ && clock_.now() >= wakes_at_ && (!process_ || dice_.percent(50))) {
    stepped = !stalled_->life().dead() && stalled_->runtime().step(dice_);
    look_after(stalled_);
  } else if (process_) {
    stepped = !process_->life().dead() && process_->runtime().step(dice_);
    look_after(process_);
  }
  if (!stepped) clock_.pass(std::chrono::milliseconds(1 + dice_.roll(100)));
}

/// Buries the dead, and starts again what ended for a reason that is none of ours.
void World::look_after(std::unique_ptr<Process>& process) {
  if (process->life().dead()) {
    process.reset();
    return;
  }
  auto failure = process->failure();
  if (!failure) return;
  if (process->begins_again()) {
    auto again = process->begin_again();
    if (again.ok()) return;
    if (process->life().dead()) {
      process.reset();
      return;
    }
    failure = std::move(again).error();
  }
  const auto says = [&](std::string_view words) { return failure->message.find(words) != std::string::npos; };
  // Of two that fight for the destinations either may lose: who reconnects last has the newest epoch.
  const bool fenced = take_overs_ > 0 && says("a newer run has");
  // One that was replaced may open a destination late, with a journal that does not continue what is there,
  // or meet a table that the newer has altered before it is told that it was replaced.
  const bool outdated =
      process == stalled_ && (says("not what comes after") || says("with another shape than it has"));
  const bool disk = failure->code == Error::Code::storage && disk_faults_ > 0;
  if (!fenced && !outdated && !disk) {
    trace_.fail(fmt::format("{} stops for good: {}", process->name(), failure->message));
    return;
  }
  process->life().die();
  process.reset();
}

bool World::all_delivered() {
  if (database_.now().empty()) return true;
  if (!process_ || !transactions_.empty()) return false;
  if (!process_->run().reached(position(database_.end()))) return false;
  const auto status = process_->run().status();
  return std::none_of(status.destinations.begin(), status.destinations.end(), rests);
}

void World::settle() {
  weather_.heal();
  for (auto& store : stores_) store->lost_answers = 0;
  for (auto& machine : machines_) machine->disk.fail_call(1'000'000'000, testing::FaultDisk::Fault::io_error);
  const auto bound = steps_ + kStepsToSettle;
  while (!all_delivered()) {
    tick();
    if (trace_.failed()) return;
    // A run that rests does not notice that it was replaced, and keeps the slot.
    if (stalled_) resume_what_rests(*stalled_);
    if (process_) {
      process_->run().hurry(true);
      resume_what_rests(*process_);
    }
    if (steps_ > bound)
      return trace_.fail("nothing is wrong any more, but not everything arrives: " + where_it_stands());
  }
  if (process_) process_->run().hurry(false);
  trace_.tell("  everything is delivered");
  oracle_.quiet();
  for (auto& store : stores_) store->lost_answers = plan_.lost_answers;
}

void World::resume_what_rests(Process& process) {
  const auto status = process.run().status();
  for (auto* delivery : process.runtime().deliveries()) {
    for (const auto& each : status.destinations) {
      if (each.name == delivery->name() && rests(each)) resume_all(*delivery);
    }
  }
}

std::string World::where_it_stands() {
  std::string words = fmt::format("the source is at {}", database_.end());
  if (!process_) return words + ", no process runs";
  const auto status = process_->run().status();
  words += fmt::format(", capture {} {}", status.capture, status.capture_error);
  for (const auto& each : status.destinations) {
    words += fmt::format("; {} {} at {} {}", each.name, each.state, each.position, each.last_error);
    for (const auto& [id, table] : each.tables)
      words += fmt::format(" {}:{}", table.source, engine::to_string(table.state));
  }
  return words;
}

}  // namespace maia::simulation
