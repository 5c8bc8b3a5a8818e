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
#include "maia/engine/inverse.h"
#include "maia/engine/options.h"
#include "maia/engine/refused_credentials.h"
#include "maia/engine/rollback.h"
#include "maia/engine/seal.h"
#include "maia/engine/snapshot_copy.h"
#include "maia/engine/stage_load.h"
#include "maia/engine/status.h"
#include "maia/engine/table_entry.h"
#include "maia/engine/task.h"
#include "maia/engine/tenure.h"
#include "maia/engine/waiting_rows.h"
#include "maia/engine/window_size.h"
#include "maia/journal/journal.h"
#include "maia/state/dead_letters.h"

namespace maia::engine {

/// The fact of a destination that rests because somebody asked for it.
inline constexpr std::string_view kPausedFact = "paused";

/// Takes windows out of the journal, through the transforms, into one destination, and commits the checkpoint
/// with them. The table is what it controls: tables that the destination lacks are copied, and tables that
/// were held (paused, quarantined, copied) catch up, while the others stream. After an error it goes back to
/// the checkpoint that the destination holds, whatever was in flight; an error that belongs to one table
/// quarantines that table, one that belongs to the destination makes the delivery rest until resumed.
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
    Tenure& tenure;
    Clock& clock;
    std::chrono::milliseconds patience;  ///< the longest that a step waits for its input
  };
  Delivery(Parts parts, const PipelineOptions& pipeline, DestinationOptions options, OpenDestination open,
           std::vector<std::unique_ptr<Transform>> transforms, Epoch held);

  /// The reason of the error that ends the run for this destination's sake, so that another one begins.
  static constexpr std::string_view kBeginAgain = "begin_again";

  const std::string& name() const override { return options_.name; }

  /// Opens the destination and reads its checkpoint; before the first step. If it is not called, or fails,
  /// the first steps do it.
  Status open();
  /// Whether `open` has succeeded.
  bool is_open() const { return destination_ != nullptr; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  /// What it has of the destination; 0 before it was open. Not while steps run.
  Epoch epoch() const { return epoch_; }
  /// The oldest place that a table here still needs the journal, or the source, to reach back to.
  Result<Held> oldest_needed() const;
  /// Where it stands, and where tables are held apart.
  Result<std::vector<Position>> places() const;
  /// The tables that the source offers, where capture begins for a destination that has nothing yet, and the
  /// snapshot that is at hand, if there is one. `renumbered` if the journal was begun anew: its first
  /// sequence and the source's position there; `lost` if the source could not give what came before that,
  /// either: then every table is compared. Binds every route, so that a mapping that cannot work fails here.
  struct Assignment {
    std::vector<SourceTable> tables;
    Position offered_at;  ///< the end of the source's log after it was asked for `tables`
    Position from;
    std::shared_ptr<Snapshot> snapshot;
    std::optional<Held> renumbered;
    bool lost = false;
  };
  Status assign(Assignment assignment);

  /// The shapes of the tables as of the checkpoint.
  std::vector<SchemaRef> delivered_shapes() const;

  /// With an error only where the pipeline's policy is to stop; else a failure for good is told by `failure`.
  Result<Step> step(std::stop_token stop) override;
  /// What the destination as a whole failed with, until it is resumed. Thread-safe.
  std::optional<Error> failure() const;
  /// Rests with this failure, as if a step had met it.
  void fail(Error error);

  // What people ask for, on the task's thread (Task::mailbox). A table is named as at the source, with or
  // without its schema; "*" is all of them; empty is the destination itself. Durable when they return; the
  // answer is a sentence.
  Result<std::string> pause(const std::string& table);
  Result<std::string> resume(const std::string& table);
  /// Brings the table at the destination to the name and shape that the settings ask for, which are others
  /// than when it was made; with `reread`, also its rows.
  Result<std::string> refit(const std::string& table, bool reread);
  /// Reads rows again (all, or those of a RowCondition on key columns) and mends what differs.
  Result<std::string> resync(const std::string& table, const std::string& rows);

  /// Sends dead letters that wait again, in the order of their changes; with each, those that wait behind it.
  /// A letter whose row has an earlier one waiting stays, and one that a later change overtook, unless
  /// forced.
  Result<std::string> replay_letters(const LetterFilter& which, bool force);
  /// Letters were purged.
  Status letters_changed() { return load_letters(); }
  /// Sends the retained changes after `from` again; a table is empty for all of them. The rows come out as
  /// they were.
  Result<std::string> send_again(const Moment& from, const std::string& table);
  /// What it would take to bring tables back to `to`, and doing it: in one transaction, after which they are
  /// paused there. Nothing is done if not all can be taken back, unless `partial`.
  Result<Rollback> plan_rollback(const Moment& to, const std::string& table);
  Result<Rollback> rollback(const Moment& to, const std::string& table, bool partial);

  /// Adds what the stages hold and have waited for now; from any thread.
  void add_load(PipelineStatus& status) const;

  /// Read-only SQL on the destination; from any thread.
  Result<Destination::QueryResult> query(std::string_view sql, const Destination::QueryLimits& limits);

 private:
  enum class Phase : std::uint8_t { opening, running, failed };
  /// One way through the journal: that of the tables that take part, or that of those that catch up.
  struct Lane {
    bool catching_up = false;
    std::unique_ptr<JournalCursor> cursor;
    Sequence at;
  };
  /// Which rows of a window are for a table: those with ordinals in [from, until).
  struct Share {
    std::uint64_t from = UINT64_MAX;
    std::uint64_t until = UINT64_MAX;
    bool converging = false;
    bool meets_newer = false;  ///< the rows that are there may be newer than these changes
    bool has(std::uint64_t ordinal) const { return ordinal >= from && ordinal < until; }
  };

  // Life (delivery.cc)
  Result<Step> work(std::stop_token stop);
  /// Whether to open it now; see Tenure.
  Result<bool> may_open();
  Result<Step> contain(Error error);
  Result<Step> recover(Error error);
  void interrupt();
  Result<bool> stream(std::chrono::milliseconds wait, std::stop_token stop);
  Status deliver(WindowRef window, std::stop_token stop);
  /// Commits what was written with the facts of all tables that changed.
  Status commit(Sequence sequence, const Position& position);
  Status commit_facts();

  // Rows before their transaction commits (delivery_ahead.cc)
  /// A destination transaction, from its begin on.
  struct InHand {
    Clock::Steady began;
    std::size_t rows = 0;
    std::size_t bytes = 0;
    Clock::Steady grew = {};  ///< ahead: when the last rows came
  };
  /// Whether rows may be written whose transaction is still running at the source.
  bool may_go_ahead() const;
  /// Writes rows of a running transaction; what comes of it is seen in later steps.
  Status write_ahead(const WindowRef& window, InHand in_hand);
  /// The window that says which transaction was written ahead is one that had to come.
  Status meet_commit(const Window& end);
  Error taken_back() const;
  /// Takes back what is written ahead; its transaction is delivered once it has committed.
  Status leave_ahead();

  // Tables (delivery_tables.cc)
  Status load_tables();
  Status journal_has_all() const;
  Status load_table(const std::string& id, const std::string& fact);
  Status offer(const SourceTable& table);
  void remove_those_not_offered();
  Status tell_removed();
  Status renumber(const Held& base);
  Status fits_journal() const;
  /// The lower sequence and the earlier position of two places.
  Held earlier(const Held& a, const Held& b) const;
  PositionOrder order() const;
  void hold(TableEntry& entry);
  Status add_table(const SchemaRef& schema, bool had_rows);
  Status refuse_meeting_tables() const;
  /// A transform that no table goes through is a slip in its names, not something to pass over.
  Status refuse_idle_transforms() const;
  bool streams() const;
  /// Makes it at the destination.
  Status make(TableEntry& entry);
  /// Of a table that is not made yet.
  Status adopt_shape(TableEntry& entry, const SchemaRef& shape);
  /// Makes the tables that stream without having been copied and have got no row, as soon as the stream has
  /// come to the shape that they were offered in.
  Status prepare_uncopied();

  // Copying (delivery_copy.cc)
  Result<bool> copy(std::stop_token stop);
  Status begin_copy(std::vector<TableEntry*> tables);
  Status take_snapshot(const std::vector<TableEntry*>& tables);
  Result<bool> can_copy_on(const TableEntry& entry, const TableSchema& now);
  Status adopt_shapes(const std::vector<TableEntry*>& tables, const std::vector<SourceTable>& offered);

  // Catching up (delivery_catch_up.cc)
  Result<bool> catch_up(std::stop_token stop);
  std::vector<TableEntry*> find_joining();
  Status read_missed(const std::vector<TableEntry*>& joining, std::stop_token stop);
  void advance(TableEntry& entry, const Window& window);
  Status mend(TableEntry& entry);
  bool meet(TableEntry& entry);
  Share share_of(const TableEntry& entry, const Window& window, const Lane& lane) const;
  Status give_up_history(TableEntry& entry);
  Error history_is_gone(const TableEntry& entry) const;
  /// From where the checkpoint is, compared with what is there if it can be.
  Status read_again(TableEntry& entry);
  /// A table whose changes do not say enough to be told to newer rows is copied whole, from one view.
  Status copy_anew(const std::string& id);

  // Windows (delivery_window.cc)
  Status take(const WindowRef& window, const Lane& lane);
  Status take_batch(const Window& window, const Batch& batch, const Lane& lane);
  Status take_truncate(const Window& window, const Truncate& truncate, const Lane& lane);
  Status take_change(const Window& window, const SchemaChange& change, const Lane& lane);
  Status reshape(TableEntry& entry, const SchemaChange& change, const DriftOptions& drift);
  Status flush();
  /// Tables whose snapshot the stream has left behind are streaming from now on.
  void settle(TableEntry& entry, const Position& reached);
  /// A batch through sieve and route; what fails on the way is buried.
  Result<RoutedBatch> route(const Batch& batch, TableEntry& entry, std::span<const Transaction> transactions);
  /// Takes rows that are to be appended away, in case they were appended before.
  Status take_away(const TableEntry& entry, const Batch& rows, std::uint64_t window);
  /// Rows of the window from this ordinal on are news for who has everything up to `position`; UINT64_MAX:
  /// none is.
  std::uint64_t first_news(const Window& window, const Position& position) const;

  // Dead letters (delivery_letters.cc, delivery_replay.cc)
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
  /// Rows that were put aside stay so if the checkpoint has their commit.
  Status settle_letters();
  void tell_burial(CheckpointUpdate& update) const;
  /// Delivers one letter and marks it, by itself.
  Status send(const DeadLetter& letter);
  Status keep(TableEntry& entry, const std::vector<DeadLetter>& letters);
  DeadLetter letter_of(const Batch& batch, std::size_t row, const TableEntry& entry,
                       const Transaction& transaction) const;

  // Rows that a destination refuses (delivery_refused.cc)
  /// After a write was refused because of data: finds the row or rows, and sets them aside. False if that is
  /// not what is wrong, or not what is to be done.
  Result<bool> set_refused_aside();
  /// Looks for the row in the first window that is not delivered.
  Result<bool> set_refused_row_aside();
  Result<bool> would_take(const std::vector<WindowRef>& windows, const Lane& lane, std::uint64_t before,
                          std::string& why);
  /// The same for rows of a copy, all of them at once.
  Result<bool> set_copied_rows_aside(SnapshotCopy::Refused refused);
  Result<std::optional<std::string>> refusal_of(const SnapshotCopy::Refused& refused, std::size_t from,
                                                std::size_t until);

  // Going back (delivery_undo.cc)
  /// What the journal says of a table since some place.
  struct Since {
    SchemaRef shape;  ///< at the place
    bool reshaped = false;
    bool moves_untold = false;  ///< see moves_untold_values
    bool truncated = false;
    std::uint64_t rows = 0;
  };
  Result<Held> place_of(const Moment& moment);
  Result<std::optional<Position>> end_of(Sequence sequence);
  Status for_each_window(Sequence from, Sequence through, const std::function<Status(const Window&)>& work);
  Result<std::map<std::string, Since>> look_since(const std::vector<TableEntry*>& entries, const Held& place);
  std::string cannot_take_back(const TableEntry& entry, const Since& since, const Held& place) const;
  Result<InverseCounts> take_back(TableEntry& entry, const Since& since, const Held& place,
                                  const Inverse::Sink& sink);
  Held rows_at(const TableEntry& entry) const;
  Status look_back(const std::string& id, const Held& place, Inverse& inverse);
  bool mends_after_failure() const;
  Status mend_if_it_fails(const Rollback& plan, const std::vector<TableEntry*>& entries);
  Status write_inverse(Rollback& plan, const Held& place, const std::string& table);
  Status hold_at(TableEntry& entry, const Held& place, bool newer_rows);

  // Control (delivery_control.cc)
  Status reachable();
  Result<std::vector<TableEntry*>> named(const std::string& table);
  Result<std::string> made_durable(Result<std::string> answer);
  Result<std::string> on_each(const std::vector<TableEntry*>& entries, bool lenient,
                              const std::function<Result<std::string>(TableEntry&)>& work);
  Result<std::string> pause_table(TableEntry& entry);
  Result<std::string> resume_table(TableEntry& entry);
  Status begin_resync(TableEntry& entry, const std::string& rows);
  Status can_resync(const TableEntry& entry) const;
  Status bind_again(TableEntry& entry);
  Status refit_table(TableEntry& entry, bool reread);
  Status quarantine(const std::string& id, std::optional<TableFact> fresh, const Error& error);
  /// If it is an error, it is of this table.
  template <class T>
  Result<T> blamed(const std::string& id, Result<T> done) {
    if (!done.ok()) culprit_ = id;
    return done;
  }

  std::string_view state_if_well() const;
  void publish(std::string_view state, const Error* error = nullptr);
  void publish_table(TableStatus& table, const TableEntry& entry) const;

  Parts parts_;
  const PipelineOptions& pipeline_;
  const DestinationOptions options_;
  const OpenDestination open_destination_;
  const std::vector<std::unique_ptr<Transform>> transforms_;

  std::mutex destination_mutex_;
  std::shared_ptr<Destination> destination_;  // replaced under destination_mutex_
  mutable std::mutex failure_mutex_;
  std::optional<Error> failure_;  // guarded by failure_mutex_

  Phase phase_ = Phase::opening;
  bool paused_ = false;                 ///< the destination as a whole
  Checkpoint checkpoint_;               ///< as durable at the destination
  Epoch epoch_;                         ///< of this run there; 0 before it was opened
  std::optional<std::uint64_t> asked_;  ///< the question of Tenure that waits for its answer
  Seal seal_;
  std::map<std::string, std::optional<std::string>> other_facts_;  ///< to be committed, beside the tables'
  Assignment assigned_;
  bool selection_is_new_ = false;  ///< what is offered was not compared yet, durably, with what is here
  Sequence base_;                  ///< the journal's sequence at Assignment::from
  std::shared_ptr<Snapshot> snapshot_;
  StageLoad copy_load_;  ///< outlives copy_
  StageLoad delivery_load_;
  WindowSize size_;
  std::unique_ptr<SnapshotCopy> copy_;
  std::map<std::string, TableEntry> tables_;  // by table id
  std::map<std::string, std::set<ColumnChange::Kind>> refused_;
  Lane stream_;
  Lane catch_up_{.catching_up = true, .cursor = nullptr, .at = {}};
  WaitingRows waiting_;
  std::string burial_;  ///< of the letters since the last commit; empty: there are none
  std::uint64_t burials_ = 0;
  std::set<std::string> skipped_;         ///< operation ids, since the last commit
  std::set<std::string> skipped_copied_;  ///< the same of rows that are copied, until all are
  bool passed_checkpoint_ = false;        ///< windows are no longer partly older than the checkpoint
  std::uint64_t news_ = 0;                ///< of the window in hand, for who is at the checkpoint
  std::optional<InHand> ahead_;           ///< what is written of a transaction that has not committed yet
  Sequence not_ahead_;                    ///< what will have this sequence is delivered once it has

  // Batches between two barriers, and what keeps them alive.
  std::vector<maia::Delivery> pending_;
  std::vector<std::string> pending_tables_;  ///< ids, one for each of pending_
  std::vector<std::unique_ptr<Batch>> pending_batches_;
  std::vector<WindowRef> pending_windows_;

  std::optional<std::string> overtaken_;  ///< the table that the step found must be copied anew
  std::optional<std::string> culprit_;    ///< the table that the error in hand belongs to
  bool suspects_ = false;                 ///< it belongs to one of several tables
  bool isolating_ = false;                ///< tables are written one by one, to find out which

  bool write_refused_ = false;  ///< the error in hand is a write's, because of data
  bool catching_up_in_hand_ = false;
  Sequence last_taken_;
  Sequence alone_until_;                ///< windows up to here are delivered one by one
  std::size_t rows_refused_ = 0;        ///< since the last commit
  std::optional<std::uint64_t> limit_;  ///< only rows before this ordinal are taken, to see what is refused

  Backoff backoff_;
  RefusedCredentials credentials_;
  Clock::Steady last_publish_{};
  WallMicros newest_commit_ = 0;  ///< at the source, of the last transaction delivered
  std::int64_t lag_micros_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace maia::engine
