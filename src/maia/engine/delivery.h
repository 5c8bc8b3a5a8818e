// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/connector/destination.h"
#include "maia/connector/source.h"
#include "maia/connector/transform.h"
#include "maia/engine/backoff.h"
#include "maia/engine/confirm.h"
#include "maia/engine/options.h"
#include "maia/engine/snapshot_copy.h"
#include "maia/engine/status.h"
#include "maia/engine/table_entry.h"
#include "maia/engine/task.h"
#include "maia/engine/waiting_rows.h"
#include "maia/journal/journal.h"
#include "maia/state/dead_letters.h"

namespace maia::engine {

/// Takes windows out of the journal, through the transforms, into one destination, and commits the checkpoint
/// with them. Before that it copies the tables that the destination does not have yet. After an error it goes
/// back to the checkpoint that the destination holds, whatever was in flight.
class Delivery final : public Task {
 public:
  using OpenDestination = std::function<Result<std::unique_ptr<Destination>>()>;
  /// All outlive the task.
  struct Parts {
    Source& source;
    std::mutex& source_mutex;  ///< guards calls on `source` (not on its snapshots)
    Journal& journal;
    Confirm& confirm;
    StatusBoard& board;
    Observer& observer;
    DeadLetters& dead_letters;
    Clock& clock;
    std::chrono::milliseconds patience;  ///< the longest that a step waits for its input
  };
  Delivery(Parts parts, const PipelineOptions& pipeline, DestinationOptions options, OpenDestination open,
           std::vector<std::unique_ptr<Transform>> transforms);

  const std::string& name() const override { return options_.name; }

  /// Opens the destination and reads its checkpoint; before the first step.
  Status open();
  const Checkpoint& checkpoint() const { return checkpoint_; }
  /// The tables that the source offers, `from` where capture begins for a destination that has nothing yet,
  /// and the snapshot that is at hand, if there is one. Binds every route, so that a mapping that cannot work
  /// fails here.
  Status assign(const std::vector<SourceTable>& tables, const Position& from,
                std::shared_ptr<Snapshot> snapshot);

  /// The shapes of the tables as of the checkpoint.
  std::vector<SchemaRef> delivered_shapes() const;

  Result<Step> step(std::stop_token stop) override;

  /// Sends dead letters that wait again, in the order of their changes; with each, those that wait behind it.
  /// A letter whose row has an earlier one waiting stays, and one that a later change overtook, unless
  /// forced. On the task's thread (Task::mailbox); the answer is a sentence.
  Result<std::string> replay_letters(const LetterFilter& which, bool force);
  /// Letters were purged. On the task's thread.
  Status letters_changed() { return load_letters(); }

  /// Read-only SQL on the destination; from any thread.
  Result<Destination::QueryResult> query(std::string_view sql, const Destination::QueryLimits& limits);

 private:
  enum class Phase { opening, copying, streaming };

  Status load_tables();
  Status refuse_meeting_tables() const;
  /// A transform that no table goes through is a slip in its names, not something to pass over.
  Status refuse_idle_transforms() const;
  Result<Step> copy(std::stop_token stop);
  Result<Step> stream(std::stop_token stop);
  Result<Step> recover(Error error);

  Status deliver(WindowRef first, std::stop_token stop);
  Status take(const WindowRef& window);
  Status take_batch(const Window& window, const Batch& batch, std::uint64_t news);
  /// A batch through sieve and route; what fails on the way is buried.
  Result<RoutedBatch> route(const Batch& batch, TableEntry& entry, std::span<const Transaction> transactions);
  Status take_truncate(const Window& window, const Truncate& truncate);
  Status follow(const Window& window, const SchemaChange& change);
  Status add_table(const SchemaRef& schema);
  Status reshape(TableEntry& entry, const SchemaChange& change);
  Status flush();
  /// Commits what was written with the facts of all tables that changed.
  Status commit(Sequence sequence, const Position& position);
  /// Tables whose snapshot the window has left behind are streaming from now on.
  void settle(const Window& window);
  /// Where a row was refused.
  enum class Stage : std::uint8_t { transform, write };
  /// Does with refused rows what `errors:` says.
  Status bury(const Batch& batch, TableEntry& entry, std::span<const Transaction> transactions,
              const std::vector<RowFailure>& failures, Stage stage);
  /// The rows of a batch that are to be delivered, or nothing if that is all of them. Those that wait behind
  /// dead letters have become dead letters then.
  Result<std::optional<Batch>> sift(const Batch& batch, TableEntry& entry,
                                    std::span<const Transaction> transactions);
  /// Reads what waits, and finishes a replay that was cut off between its commit and its mark.
  Status load_letters();
  /// Delivers one letter and marks it, by itself.
  Status send(const DeadLetter& letter);
  Status reachable() const;
  Status keep(TableEntry& entry, const std::vector<DeadLetter>& letters);
  DeadLetter letter_of(const Batch& batch, std::size_t row, const TableEntry& entry,
                       const Transaction& transaction) const;
  /// Rows of the window from this ordinal on are news for who has everything up to `position`; UINT64_MAX:
  /// none is.
  std::uint64_t first_news(const Window& window, const Position& position) const;
  void publish(std::string_view state, const Error* error = nullptr);

  Parts parts_;
  const PipelineOptions& pipeline_;
  const DestinationOptions options_;
  const OpenDestination open_destination_;
  const std::vector<std::unique_ptr<Transform>> transforms_;

  std::mutex destination_mutex_;
  std::shared_ptr<Destination> destination_;  // replaced under destination_mutex_

  Phase phase_ = Phase::opening;
  Checkpoint checkpoint_;  // as durable at the destination
  std::vector<SourceTable> offered_;
  Position from_;  ///< where a destination that has nothing yet begins
  Sequence base_;  ///< the journal's sequence there
  std::shared_ptr<Snapshot> snapshot_;
  std::unique_ptr<SnapshotCopy> copy_;
  std::map<std::string, TableEntry> tables_;  // by table id
  std::map<std::string, std::set<ColumnChange::Kind>> refused_;
  std::unique_ptr<JournalCursor> cursor_;
  WaitingRows waiting_;
  std::set<std::string> skipped_;                                  ///< operation ids, since the last commit
  std::map<std::string, std::optional<std::string>> other_facts_;  ///< for the next commit
  bool passed_checkpoint_ = false;  ///< windows are no longer partly older than the checkpoint

  // Batches between two barriers, and what keeps them alive.
  std::vector<maia::Delivery> pending_;
  std::vector<std::unique_ptr<Batch>> pending_batches_;
  std::vector<WindowRef> pending_windows_;

  Backoff backoff_;
  Clock::Steady last_publish_{};
  WallMicros newest_commit_ = 0;  ///< at the source, of the last transaction delivered
  std::int64_t lag_micros_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace maia::engine
