// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
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
#include "maia/engine/journal_fit.h"
#include "maia/engine/options.h"
#include "maia/engine/runtime.h"
#include "maia/engine/status.h"
#include "maia/state/dead_letters.h"
#include "maia/state/refits.h"

namespace maia::engine {

/// One pipeline while it runs: a source, its journal, its destinations, and the tasks between them. Contains
/// no connector names and no SQL. Start it once, from one thread; the rest may be called from any thread.
class PipelineRun {
 public:
  struct DestinationParts {
    DestinationOptions options;
    Delivery::OpenDestination open;
    std::vector<std::unique_ptr<Transform>> transforms;
    /// By the run before in this process: if a newer run has the destination, that one keeps it.
    Epoch held = {};
  };
  struct Parts {
    PipelineOptions options;
    std::unique_ptr<Source> source;
    std::vector<DestinationParts> destinations;
    std::unique_ptr<Journal> journal;
    std::map<std::string, std::uint64_t> lost_history = {};  ///< counted by earlier runs in this process
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
  /// Waits until capture or every destination has failed for good or `stop` was requested; then ends all
  /// tasks. The first error, also if it is of only one destination.
  Status wait(std::stop_token stop);

  /// The error that ended a task, if one did.
  std::optional<Error> failure() const;
  /// Whether another run in this process goes on after this error, rather than stop with it again.
  bool begins_again_after(const Error& error) const;
  /// What the run has of a destination; for the one that begins again. After wait().
  Epoch epoch_of(const std::string& destination) const;

  /// The end of the source's log now; for `reached`.
  Result<Position> source_end();
  /// Every table is copied, its snapshot left behind by the stream, and everything up to `position` is
  /// durable in every destination; but for destinations that have failed or are paused and for tables that
  /// are paused, quarantined or removed.
  bool reached(const Position& position) const;
  /// Makes an idle source's position durable at once; for draining.
  void hurry(bool on);
  /// Waits until `reached(position)`. Code::cancelled on a stop, the task's error if one fails meanwhile.
  Status drain_to(const Position& position, std::stop_token stop);

  // What people ask for; see Delivery. Without a destination's name, of all destinations. Waits for the
  // answer until a time limit; thread-safe.
  Result<std::string> pause(const std::string& destination, const std::string& table);
  Result<std::string> resume(const std::string& destination, const std::string& table);
  Result<std::string> resync(const std::string& destination, const std::string& table,
                             const std::string& rows);
  /// Delivery::refit of the table that it names. Before `start`, it is done before the first rows are
  /// delivered.
  std::future<Result<std::string>> refit(const Refit& refit);

  Result<std::string> send_again(const Moment& from, const std::string& destination,
                                 const std::string& table);
  struct RollbackHow {
    bool apply = false;    ///< do it, rather than only work out what it would take
    bool partial = false;  ///< also if not all can be taken back
  };
  Result<std::vector<Rollback>> rollback(const Moment& to, const std::string& destination,
                                         const std::string& table, RollbackHow how);

  PipelineStatus status() const;
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
  /// Where the stream goes on, and whether the journal was begun anew for it.
  struct Resume {
    std::optional<Position> position;
    std::optional<Held> renumbered;
  };
  Result<Resume> resume_position();
  Result<Source::Prepared> prepare_source(Resume& resume);
  /// Where capture begins, and what the deliveries must know of it.
  struct Beginning {
    Source::Prepared prepared;
    std::optional<Held> renumbered;
    bool lost = false;  ///< what came before is lost
  };
  Result<Beginning> begin();
  Result<Beginning> go_on();
  bool resyncs_after(const Error& error) const;
  Result<Beginning> begin_anew(const Error& lost);
  Result<std::string> ask(const std::string& destination,
                          const std::function<Result<std::string>(Delivery&)>& work,
                          std::chrono::seconds limit = std::chrono::seconds{30});
  Error explained(Error error) const;
  /// The pipeline ends with this error.
  void tell_end(const Error& error);
  void launch(Task& task);
  void fail(Task& task, Error error);

  Parts parts_;
  StatusBoard board_;
  Confirm confirm_;
  Tenure tenure_;
  std::mutex source_mutex_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  StageLoad capture_load_;
  std::unique_ptr<Capture> capture_;
  Position from_;
  JournalFit journal_fit_ = JournalFit::continues;

  mutable std::mutex failure_mutex_;
  std::optional<Error> failure_;  // guarded by failure_mutex_
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace maia::engine
