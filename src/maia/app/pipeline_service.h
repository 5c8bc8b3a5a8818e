// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "maia/app/control_request.h"
#include "maia/app/history_request.h"
#include "maia/app/letter_request.h"
#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"
#include "maia/engine/memory_shares.h"
#include "maia/engine/pipeline_run.h"
#include "maia/state/dead_letters.h"

namespace maia::app {

/// Writes what happens in one pipeline to the log.
class LogObserver final : public engine::Observer {
 public:
  explicit LogObserver(std::string pipeline) : pipeline_(std::move(pipeline)) {}
  void event(Level level, std::string_view what, const Fields& fields) override;

 private:
  const std::string pipeline_;
};

/// One pipeline of a file with all that it needs in this process: both ends, journal, dead letters and the
/// engine.
class PipelineService {
 public:
  /// Makes the pipeline's state directory and opens what lies in it; nothing is connected yet.
  static Result<std::unique_ptr<PipelineService>> open(const config::PipelineSettings& settings,
                                                       const std::string& state, const Outside& outside,
                                                       const engine::MemoryShares& memory);

  const std::string& name() const { return name_; }
  /// Its own part of the state directory.
  const std::string& directory() const { return directory_; }
  /// What the pipeline promises, one line per destination: "duckdb: exactly once, ...".
  const std::vector<std::string>& promises() const { return promises_; }

  /// Runs until a stop is requested or a task fails for good; with `until_caught_up`, until what is at the
  /// source when it starts is durable in every destination.
  Status run(bool until_caught_up, std::stop_token stop);

  engine::PipelineStatus status() const { return run_->status(); }
  Result<Destination::QueryResult> query(std::string_view destination, std::string_view sql,
                                         const Destination::QueryLimits& limits) {
    return run_->query(destination, sql, limits);
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
  explicit PipelineService(std::string name) : name_(name), observer_(std::move(name)) {}

  const std::string name_;
  std::string directory_;
  std::vector<std::string> promises_;
  LogObserver observer_;
  std::unique_ptr<DeadLetterFile> dead_letters_;
  std::unique_ptr<engine::PipelineRun> run_;
};

}  // namespace maia::app
