// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/check.h"
#include "maia/connector/fidelity.h"
#include "maia/connector/row_condition.h"
#include "maia/types/position.h"
#include "maia/types/window.h"

namespace maia {

/// What a destination knows of a pipeline, kept with the data and changed in the same transaction.
struct Checkpoint {
  Sequence sequence;  ///< last journal record that is durable here
  Position position;  ///< its source position
  /// Further durable facts of the engine by key, such as the snapshot progress of a table. A destination
  /// stores them as they are.
  std::map<std::string, std::string> facts;
  /// By which the engine sees whether somebody else has changed the checkpoint; stored as it is.
  std::string seal = {};
};

/// What a commit writes besides the rows.
struct CheckpointUpdate {
  Sequence sequence;
  Position position;
  std::map<std::string, std::optional<std::string>> facts;  ///< to set, or to remove where empty
  std::string seal = {};
};

/// One table at the destination.
struct TableTarget {
  enum class Mode : std::uint8_t {
    upsert,  ///< the table mirrors the source's rows, by key
    append,  ///< every batch row is an insert of a new row; nothing is looked up
  };
  TableName name;    ///< at the destination, after routing
  SchemaRef schema;  ///< after transforms; batches have exactly these columns
  Mode mode = Mode::upsert;
  std::vector<std::size_t> key;  ///< columns; empty: rows are found by all their columns, as a multiset

  std::vector<std::string> key_names() const;
};

/// One batch on its way to one table.
struct Delivery {
  const TableTarget* target = nullptr;  ///< not owned; outlives the call
  const Batch* batch = nullptr;         ///< not owned; outlives the call
  /// Op::read and Op::insert rows are known not to be there yet, so they may be loaded without a look-up.
  bool fresh = false;
  /// Changes meet rows that may be newer than they are (TablePlan::converging): an update of a row that is
  /// not there and that lacks unchanged values is skipped; a key change onto a row that is there replaces it.
  bool converging = false;
  /// The transactions of the window that the batch is of, in order, for destinations that hand on where a row
  /// came from; rows of a snapshot have one that stands for the snapshot. Not owned, outlives the call.
  std::span<const Transaction> transactions = {};
  /// The window's place in the order of all; ordinals are comparable only within one window.
  std::uint64_t window = 0;
};

/// A system that we write to. Used from one thread. The order of calls:
///
///     plan (any time, no connection needed) | check
///     open -> { begin -> (prepare | alter | truncate | write | stage...)* -> commit | rollback }*
///
/// A transactional destination does everything between begin and commit atomically, commit included: the rows
/// and the checkpoint become visible together or not at all. After any error the engine calls rollback; after
/// an error with Recovery::reconnect it drops the object, opens a new one, and goes on from the checkpoint
/// that open returns. That is also how an unknown commit outcome is resolved.
class Destination {
 public:
  virtual ~Destination() = default;

  /// Whether `write` takes rows before it is known which transaction they are of, or that it commits at all:
  /// Delivery::transactions is empty then.
  virtual bool takes_rows_ahead() const { return false; }
  /// How each column of the schema would be stored. Pure.
  virtual std::vector<ColumnMapping> plan(const TableSchema& schema) const = 0;
  virtual Result<Findings> check() = 0;

  /// Connects, takes the next epoch for `pipeline` (which fences every older run), notes who took it
  /// (base/this_process.h) and reads the checkpoint back; an empty one for a new pipeline. `held` is the
  /// epoch that this run had before its session broke, 0 at its start: if another process has taken a newer
  /// one, nothing is taken and the error is Code::fenced, with who. One's own may be news: answers are lost.
  struct Opened {
    Epoch epoch;
    Checkpoint checkpoint;
  };
  virtual Result<Opened> open(std::string_view pipeline, Epoch held) = 0;
  /// At the start of a run.
  Result<Opened> open(std::string_view pipeline) { return open(pipeline, Epoch{}); }

  virtual Status begin() = 0;
  /// Makes the table ready to receive rows: creates it, or verifies that the existing one fits (same columns,
  /// types that can hold the values, key). Code::invalid_config, with what differs, if not. Records that this
  /// pipeline owns it; a table owned by another pipeline is an error.
  virtual Status prepare(const TableTarget& target) = 0;
  /// The same for a table whose rows come now, as fresh ones up to `finish_snapshot`. What would slow them
  /// down, such as the key, may be made there, or before anything else is done to the table.
  virtual Status prepare_load(const TableTarget& target) { return prepare(target); }
  /// Brings the table from `before`'s shape and name to `after`'s. `change.columns` says what is a rename.
  virtual Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) = 0;
  virtual Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) = 0;
  /// Writes the batches as if their rows were applied one by one, in the order of their windows and, within a
  /// window, of their ordinals. Deliveries come in the order of their windows.
  virtual Status write(std::span<const Delivery> deliveries) = 0;
  /// Compares the epoch, stores the update and commits. Code::fenced, with who it is, if a newer run took the
  /// epoch. When it returns without error everything is durable.
  virtual Status commit(const CheckpointUpdate& update) = 0;
  virtual void rollback() = 0;

  /// What the destination needs at the end of these tables' snapshots (bring sequences up to date). Called
  /// with their last rows, inside begin/commit.
  virtual Status finish_snapshot(std::span<const TableTarget* const> /*targets*/) { return {}; }

  /// Whether it can tell which of a table's rows differ from others, by the three calls that follow; they are
  /// Code::unsupported if not.
  virtual bool can_compare() const { return false; }
  /// Makes an empty place beside the table for rows to compare it with, in place of one that is there. It
  /// lasts until reconcile or the end of the session, over commits; a rollback may take it away.
  virtual Status begin_staging(const TableTarget& target);
  /// Adds Op::read rows.
  virtual Status stage(const TableTarget& target, const Batch& batch);
  struct Reconciliation {
    RowCondition rows;          ///< only these are looked at, on both sides; of columns of the target's key
    bool keep_surplus = false;  ///< rows that are not staged stay
  };
  struct Reconciled {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t removed = 0;
  };
  /// Makes the table's rows those that are staged, by inserting, updating and removing what differs; a row
  /// that is equal is not written. Takes the staged rows away.
  virtual Result<Reconciled> reconcile(const TableTarget& target, const Reconciliation& how);

  /// Read-only SQL for `maia query`, where the destination can answer it (Connector::can.query).
  struct QueryLimits {
    std::uint64_t rows = 10'000;
    std::uint32_t timeout_ms = 30'000;
  };
  struct QueryResult {
    std::vector<std::string> columns;
    std::vector<std::string> types;
    std::vector<std::vector<std::optional<std::string>>> rows;
    bool truncated = false;  ///< the row limit was reached
  };
  /// Callable from any thread while the destination is in use by the engine; sees committed data only.
  virtual Result<QueryResult> query(std::string_view sql, const QueryLimits& limits);

  /// Forgets the pipeline: checkpoint and ownership; never the user's rows. Returns what was removed.
  virtual Result<std::vector<std::string>> drop(std::string_view pipeline) = 0;
};

}  // namespace maia
