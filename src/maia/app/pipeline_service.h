// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "maia/app/control_request.h"
#include "maia/app/history_request.h"
#include "maia/app/letter_request.h"
#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"
#include "maia/engine/memory_shares.h"
#include "maia/engine/pipeline_run.h"
#include "maia/state/dead_letters.h"
#include "maia/state/measurements.h"
#include "maia/state/refits.h"

namespace maia::app {

/// Writes what happens in one pipeline to the log.
class LogObserver final : public engine::Observer {
 public:
  /// `copied` is called with a destination's name when its snapshot is complete.
  LogObserver(std::string pipeline, std::function<void(const std::string&)> copied)
      : pipeline_(std::move(pipeline)), copied_(std::move(copied)) {}
  void event(Level level, std::string_view what, const Fields& fields) override;

 private:
  const std::string pipeline_;
  const std::function<void(const std::string&)> copied_;
};

/// One pipeline of a file with all that it needs in this process: both ends, journal, dead letters and the
/// engine. Its settings can be changed while it runs: the engine's tasks end at a transaction boundary, and
/// others with the new settings go on at the same place, in the same process. Thread-safe.
class PipelineService {
 public:
  /// What a pipeline with so many destinations may hold of the process's memory.
  using Memory = std::function<engine::MemoryShares(std::size_t destinations)>;

  /// Makes the pipeline's state directory and opens what lies in it; nothing is connected yet. `outside`
  /// outlives the service.
  static Result<std::unique_ptr<PipelineService>> open(const config::PipelineSettings& settings,
                                                       const std::string& state, const Outside& outside,
                                                       Memory memory);

  const std::string& name() const { return name_; }
  /// Its own part of the state directory.
  const std::string& directory() const { return directory_; }
  /// What the pipeline promises, one line per destination: "duckdb: exactly once, ...".
  std::vector<std::string> promises() const;

  /// Runs until a stop is requested or a task fails for good; with `until_caught_up`, until what is at the
  /// source when it starts is durable in every destination.
  Status run(bool until_caught_up, std::stop_token stop);

  /// Takes up other settings of the same pipeline. Waits until it runs with them; if it cannot, the settings
  /// before go on and the error says why. `refits` are tables that are to be brought to them.
  Result<std::string> apply(const config::PipelineSettings& settings, const std::vector<Refit>& refits);

  engine::PipelineStatus status() const;
  Result<Destination::QueryResult> query(std::string_view destination, std::string_view sql,
                                         const Destination::QueryLimits& limits) {
    return in_run([&](engine::PipelineRun& run) { return run.query(destination, sql, limits); });
  }
  /// What `maia pause`, `resume` and `resync` ask; the answer is a sentence.
  Result<std::string> control(const ControlRequest& request);
  /// What `maia dlq` asks, answered as it prints it.
  Result<config::Node> letters(const LetterRequest& request);
  /// What `maia replay` and `maia rollback` ask.
  Result<std::string> send_again(const HistoryRequest& request);
  Result<config::Node> rollback(const HistoryRequest& request);
  Result<std::uint64_t> dead_letters() { return dead_letters_->count(); }

 private:
  struct Change {
    config::PipelineSettings settings;
    engine::PipelineRun::Parts parts;
    std::vector<Refit> refits;
    std::promise<Result<std::string>> answer;
  };
  struct AskedRefit {
    Refit refit;
    std::future<Result<std::string>> answer;
  };

  PipelineService(std::string name, std::string state, const Outside& outside, Memory memory)
      : name_(std::move(name)),
        state_(std::move(state)),
        outside_(outside),
        memory_(std::move(memory)),
        observer_(name_, [this](const std::string& destination) { copied(destination); }) {}

  /// All but the journal, which only one run may have at a time.
  Result<engine::PipelineRun::Parts> parts_of(const config::PipelineSettings& settings);
  /// Puts a run with these settings in the place of the one before, whose tasks have ended.
  Status put(const config::PipelineSettings& settings, engine::PipelineRun::Parts parts);
  /// The settings before a change that did not work go on, and who asked for it is told why.
  Status put_back(Change change, Error why);
  void taken_up(Change change, const std::string& words);
  Status follow(bool until_caught_up, std::stop_token stop);
  std::stop_source begin_turn();
  /// What was asked for, unless `ending`: then it is refused, as are all that come after.
  std::optional<Change> take_change(bool ending);
  /// Asks the run that is not started yet for what was agreed to, so that it comes before the first rows.
  Result<std::vector<AskedRefit>> ask_refits();
  /// Waits for it; what became of it in words, a line for each.
  std::string finish_refits(std::vector<AskedRefit> refits);
  /// Asks something of the run in hand, which is not exchanged meanwhile.
  template <class Work>
  auto in_run(Work work) -> decltype(work(std::declval<engine::PipelineRun&>())) {
    const std::shared_lock lock(run_mutex_);
    if (run_) return work(*run_);
    return changing_settings();
  }
  static Error changing_settings();
  void copied(const std::string& destination);
  void note_copy_rate(const std::string& destination);

  const std::string name_;
  const std::string state_;
  const Outside& outside_;
  const Memory memory_;
  std::string directory_;
  LogObserver observer_;
  std::unique_ptr<DeadLetterFile> dead_letters_;
  std::unique_ptr<Refits> refits_;
  std::unique_ptr<Measurements> measurements_;

  mutable std::shared_mutex run_mutex_;
  std::unique_ptr<engine::PipelineRun> run_;  // replaced under run_mutex_, by the thread of `run`
  config::PipelineSettings settings_;         // guarded by run_mutex_
  config::PipelineSettings before_;           // used by the thread of `run`

  std::mutex change_mutex_;
  std::optional<Change> change_;  // guarded by change_mutex_; asked for, not taken up
  std::stop_source turn_;         // guarded by change_mutex_; ends the run in hand
  bool ended_ = false;            // guarded by change_mutex_; `run` has returned
};

}  // namespace maia::app
