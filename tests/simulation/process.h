// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "destination.h"
#include "dice.h"
#include "life.h"
#include "maia/engine/pipeline_run.h"
#include "maia/testing/fault_disk.h"
#include "oracle.h"
#include "source.h"

namespace maia::simulation {

/// Steps tasks one at a time when it is told to; waiting is the clock's passing.
class SteppedRuntime final : public engine::Runtime {
 public:
  SteppedRuntime(SimulatedClock& clock, std::function<void(std::chrono::milliseconds)> on_rest)
      : clock_(clock), on_rest_(std::move(on_rest)) {}
  void launch(engine::Task& task, Failed failed) override;
  void end() override { tasks_.clear(); }
  void rest(std::chrono::milliseconds at_most, std::stop_token) override { on_rest_(at_most); }
  std::chrono::milliseconds patience() const override { return std::chrono::milliseconds{0}; }

  /// Steps one of the tasks that are due, as the dice fall; false if none is.
  bool step(Dice& dice);
  /// The deliveries among the tasks that have not ended.
  std::vector<engine::Delivery*> deliveries() const;

 private:
  struct Entry {
    engine::Task* task;
    Failed failed;
    std::int64_t due = 0;
  };
  SimulatedClock& clock_;
  std::function<void(std::chrono::milliseconds)> on_rest_;
  std::vector<Entry> tasks_;
};

/// How the engine is set up in one run.
struct Setup {
  SourceHabits source;
  std::uint64_t segment_bytes = 1 << 20;
  std::uint64_t recent_bytes = 1 << 20;
  std::size_t max_rows = 10;
  std::uint64_t retain_bytes = 1 << 30;
};

/// What outlives every process.
struct Surroundings {
  SimulatedClock& clock;
  Trace& trace;
  Dice& dice;
  Weather& weather;
  Database& database;
  Oracle& oracle;
  std::vector<std::unique_ptr<Store>>& stores;
  const Setup& setup;
};

/// A computer that maia runs on: its disk survives the process.
struct Machine {
  explicit Machine(std::uint64_t seed) : disk(seed) {}
  testing::FaultDisk disk;
  testing::FaultDisk::Crash on_death = testing::FaultDisk::Crash::keep;
  LastWritten last_written;
};

/// One process of maia: the engine's own tasks, journal and delivery.
class Process final : private engine::Observer, private DeadLetters {
 public:
  Process(Surroundings& world, Machine& machine, std::string name,
          std::function<void(std::chrono::milliseconds)> on_rest);
  ~Process() override;

  Life& life() { return life_; }
  /// Starts the pipeline, unless that has been tried. An error if it cannot be.
  Status start();
  /// After a failure() for which another run goes on, as the program would do it.
  bool begins_again() const;
  Status begin_again();
  SteppedRuntime& runtime() { return *runtime_; }
  engine::PipelineRun& run() { return *run_; }
  /// The error that ended it, but for its death.
  std::optional<Error> failure() const;
  const std::string& name() const { return name_; }

 private:
  void event(Level level, std::string_view what, const Fields& fields) override;
  // No transform runs here, so that no row is refused.
  std::string identity() const override { return name_; }
  Status record(std::span<const DeadLetter>, const std::string&) override { return {}; }
  Status settle(const std::string&, const std::string&) override { return {}; }
  Result<std::vector<DeadLetter>> waiting(const std::string&, bool) override {
    return std::vector<DeadLetter>();
  }
  Status overtake(const std::string&, std::span<const std::string>) override { return {}; }
  Status replayed(const std::string&, std::span<const std::string>) override { return {}; }
  engine::PipelineRun::Parts parts(std::unique_ptr<Journal> journal);

  Surroundings& world_;
  Machine& machine_;
  std::string name_;
  std::function<void(std::chrono::milliseconds)> on_rest_;
  Life life_;
  ProcessDisk disk_;
  std::stop_source stop_;
  SteppedRuntime* runtime_ = nullptr;  // owned by run_
  std::unique_ptr<engine::PipelineRun> run_;
  std::map<std::string, Epoch> held_;  ///< by the run before
};

}  // namespace maia::simulation
