// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "maia/engine/capture.h"
#include "maia/engine/confirm.h"
#include "maia/engine/delivery.h"
#include "maia/engine/options.h"
#include "maia/engine/runtime.h"
#include "maia/engine/status.h"
#include "maia/state/dead_letters.h"

namespace maia::engine {

/// One pipeline while it runs: a source, its journal, its destinations, and the tasks between them. Contains
/// no connector names and no SQL. Start it once, from one thread; the rest may be called from any thread.
class PipelineRun {
 public:
  struct DestinationParts {
    DestinationOptions options;
    Delivery::OpenDestination open;
    std::vector<std::unique_ptr<Transform>> transforms;
  };
  struct Parts {
    PipelineOptions options;
    std::unique_ptr<Source> source;
    std::vector<DestinationParts> destinations;
    std::unique_ptr<Journal> journal;
    DeadLetters* dead_letters = nullptr;  ///< not owned; outlives the run, as do the next two
    Observer* observer = nullptr;
    Clock* clock = nullptr;
    std::unique_ptr<Runtime> runtime;  ///< nothing: a thread for each task
  };
  explicit PipelineRun(Parts parts);
  ~PipelineRun();

  /// Opens the destinations, prepares the source to go on where they stand, and starts the tasks. Transient
  /// failures are retried until `stop` is requested.
  Status start(std::stop_token stop);
  /// Waits until a task failed for good or `stop` was requested; then ends all tasks. The first task's error,
  /// if any.
  Status wait(std::stop_token stop);

  /// The error that ended a task, if one did.
  std::optional<Error> failure() const;

  /// The end of the source's log now; for `reached`.
  Result<Position> source_end();
  /// Every table is copied, its snapshot left behind by the stream, and everything up to `position` is
  /// durable in every destination.
  bool reached(const Position& position) const;
  /// Makes an idle source's position durable at once; for draining.
  void hurry(bool on);
  /// Waits until `reached(position)`. Code::cancelled on a stop, the task's error if one fails meanwhile.
  Status drain_to(const Position& position, std::stop_token stop);

  PipelineStatus status() const { return board_.read(); }
  /// Delivery::replay_letters at each destination, or at the one that the filter names.
  Result<std::string> replay_letters(const LetterFilter& which, bool force);
  /// Letters were purged.
  Status letters_changed();

  /// Read-only SQL at a destination; the only one if `name` is empty.
  Result<Destination::QueryResult> query(std::string_view name, std::string_view sql,
                                         const Destination::QueryLimits& limits);

 private:
  Status start_once();
  Status open_destinations();
  Result<std::optional<Position>> resume_position();
  void launch(Task& task);
  void fail(Task& task, Error error);

  Parts parts_;
  StatusBoard board_;
  Confirm confirm_;
  std::mutex source_mutex_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  std::unique_ptr<Capture> capture_;
  Position from_;

  mutable std::mutex failure_mutex_;
  std::condition_variable_any failed_;
  std::optional<Error> failure_;  // guarded by failure_mutex_
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace maia::engine
