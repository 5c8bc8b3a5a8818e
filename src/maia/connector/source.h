// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"
#include "maia/connector/check.h"
#include "maia/connector/fidelity.h"
#include "maia/types/position.h"
#include "maia/types/stream_event.h"

namespace maia {

/// A piece of one table that a snapshot reads at once. `token` is the source's own description of it.
struct Chunk {
  std::uint32_t number = 0;  ///< unique within the table's plan, over all restarts of it
  std::string token;
  std::uint64_t rows_estimate = 0;
};

/// How a table is read by one snapshot. `token` is durable and opaque: after a restart it is handed back with
/// the numbers of the chunks that are done, so that only the rest is read.
struct TablePlan {
  std::string token;
  std::vector<Chunk> chunks;  ///< those still to be read
  /// What an earlier snapshot had copied cannot be continued (rewritten table, keyless table): the
  /// destination's rows of this table are removed first, and `chunks` is the whole table.
  bool restarted = false;
  /// The rows come from several snapshots: until the stream passes Snapshot::position, changes of this table
  /// meet rows that are newer than they are. The engine then delivers them with TableTarget::converging.
  bool converging = false;
};
struct TablePlanProgress {
  std::string token;
  std::vector<std::uint32_t> done;  ///< chunk numbers, ascending
};

/// Reads chunks on a connection of its own; used from one thread.
class ChunkReader {
 public:
  virtual ~ChunkReader() = default;
  /// Calls `sink` with batches of Op::read rows until the chunk is complete. Repeatable after an error.
  using Sink = std::function<Status(Batch)>;
  virtual Status read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token stop) = 0;
};

/// A consistent view of the source as of `position()`: exactly the changes at or before it are contained.
/// Lives as long as the object; a lost connection surfaces as Recovery::reconnect from the readers, and then
/// the engine asks the source for a new snapshot and continues the chunks that are left.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Position position() const = 0;
  /// `progress` is what an earlier snapshot of the table had reached, if there was one. May be called from
  /// any thread: several destinations copy from one snapshot.
  virtual Result<TablePlan> plan(const SchemaRef& table,
                                 const std::optional<TablePlanProgress>& progress) = 0;
  /// May be called from any thread; each reader belongs to its caller.
  virtual Result<std::unique_ptr<ChunkReader>> open_reader() = 0;
};

/// Reads the log from a position. Used from one thread; `next` must be called often (at least every second)
/// because it also answers the source's keepalives.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Returns the next event, or nothing when `wait` has passed or a stop was requested. Groups small
  /// transactions that have already arrived, never waits to fill a group.
  virtual Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token stop) = 0;
  /// The source may discard this; it hears so before the stream is destroyed. Only engine/confirm calls it.
  virtual Status confirm(const Position& durable) = 0;
  /// Bytes of log between our position and the source's end; nothing if it cannot be told.
  virtual std::optional<std::uint64_t> lag_bytes() const = 0;
  /// Bytes of log that the source keeps because they are not confirmed; nothing if it cannot be told.
  virtual std::optional<std::uint64_t> held_bytes() const { return std::nullopt; }
};

/// A table that the source can offer, and how its columns map to canonical types.
struct SourceTable {
  SchemaRef schema;
  std::vector<ColumnMapping> mappings;  ///< one per column
  std::string problem;                  ///< why it cannot be synchronized; empty if it can
  std::string hint;                     ///< the statement that mends it
  std::uint64_t rows_estimate = 0;
};

/// A system that we read from. Everything is called from one thread at a time except where noted. The engine
/// calls: check (any time), tables, prepare, snapshot (when a destination needs one), stream.
class Source {
 public:
  virtual ~Source() = default;

  /// Looks at access, settings and privileges without changing anything.
  virtual Result<Findings> check() = 0;
  /// The tables that the configuration selects.
  virtual Result<std::vector<SourceTable>> tables() = 0;

  /// Makes what capturing needs (say a publication and a slot) if it is missing and allowed; otherwise the
  /// error's hint has the statements. `resume` is the oldest position that a destination or the journal
  /// needs, or nothing for a new pipeline. Code::lost_history if the source cannot stream from there.
  struct Prepared {
    Position from;         ///< where the stream begins for a new pipeline; `resume` otherwise
    bool created = false;  ///< capture began just now: the snapshot at `from` is at hand
  };
  virtual Result<Prepared> prepare(const std::optional<Position>& resume) = 0;
  /// A consistent view to copy from. Right after a `prepare` that created, the view is exactly at
  /// `Prepared::from`.
  virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
  virtual Result<std::unique_ptr<Stream>> stream(const Position& from,
                                                 std::vector<SchemaRef> known_tables) = 0;

  /// The end of the source's log now: every transaction that had committed before the call is at or before
  /// it, and an Idle event or a transaction at or past it arrives even if nothing more is written.
  virtual Result<Position> end() = 0;
  /// Order of two positions of this source; unordered when they belong to different histories. Thread-safe.
  virtual std::partial_ordering compare(const Position& a, const Position& b) const = 0;
  /// When a position was committed, in words for people ("0/16B3748"). Thread-safe.
  virtual std::string describe(const Position& position) const = 0;
  /// The position that `describe` shows so, in the history of `near`. Code::invalid_config if the text is
  /// none, Code::unsupported if this source cannot tell. Thread-safe.
  virtual Result<Position> position_from_text(std::string_view text, const Position& near) const;
  /// After Code::lost_history, when the tables are going to be compared: gives up what cannot be continued
  /// and begins capture as for a new pipeline.
  virtual Result<Prepared> begin_anew();
  /// Asks the source to write a sign of life to its log, where that is allowed, so that an idle database's
  /// position advances. Called every heartbeat interval from the capture thread. Code::lost_history if it
  /// shows that the source has gone back in time; other errors are not worth stopping for.
  virtual Status heartbeat() { return {}; }
  /// Removes everything that `prepare` made. Returns what was removed.
  virtual Result<std::vector<std::string>> drop() = 0;
};

}  // namespace maia
