// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "plan.h"
#include "process.h"

namespace maia::simulation {

/// What became of one run.
struct Outcome {
  std::optional<std::string> failure;
  std::uint64_t hash = 0;
  std::uint64_t checks = 0;  ///< comparisons of a table with the truth
  std::uint64_t steps = 0;
  std::vector<std::string> lines;  ///< if they were wanted
};

/// Runs a plan on one thread: the world's events, the workload's statements and the engine's steps, one after
/// another.
class World {
 public:
  World(const Plan& plan, const Dropped& dropped, bool in_words);
  Outcome run();

 private:
  void happen(const Event& event, std::size_t number);
  void cut(const std::string& system, Dice& dice);
  void crash(Dice& dice);
  void take_over(Dice& dice);
  void command(Dice& dice);
  /// Lets the workload, the engine or time take one step.
  void tick();
  void work();
  void step_processes();
  void start_if_due();
  void look_after(std::unique_ptr<Process>& process);
  /// Heals the world, and expects that everything is delivered within a bound.
  void settle();
  bool all_delivered();
  static void resume_what_rests(Process& process);
  std::string where_it_stands();

  const Plan& plan_;
  const Dropped& dropped_;
  Trace trace_;
  Dice dice_;
  SimulatedClock clock_;
  Weather weather_{clock_, trace_};
  Database database_{clock_, trace_};
  Oracle oracle_{database_, trace_};
  std::vector<std::unique_ptr<Store>> stores_;
  Surroundings surroundings_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::unique_ptr<RunningTransaction>> transactions_;
  std::unique_ptr<Process> process_;  ///< the one that should run
  std::unique_ptr<Process> stalled_;  ///< an older one that will wake up
  std::int64_t start_at_ = 0;
  std::int64_t wakes_at_ = 0;
  std::uint64_t processes_ = 0;
  std::uint64_t take_overs_ = 0;
  std::uint64_t disk_faults_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace maia::simulation
