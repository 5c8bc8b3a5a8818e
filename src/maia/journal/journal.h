// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/stream_event.h"

namespace maia {

/// A window out of the journal. Shared, because several destinations may read it at once; immutable.
using WindowRef = std::shared_ptr<const Window>;

/// What the source knows about its positions, for those who must not know what one is.
struct PositionOrder {
  std::function<std::partial_ordering(const Position&, const Position&)> compare;
  std::function<std::string(const Position&)> describe;  ///< for people
};

/// Reads windows in sequence order; used from one thread, independent of the appender and of other cursors.
class JournalCursor {
 public:
  virtual ~JournalCursor() = default;
  /// The next window after the last one returned, or nothing when none arrives within `wait` or a stop is
  /// requested. A committed streamed transaction comes as several windows with `continues`; all of them have
  /// the sequence of its commit. Rows that were rolled back never come.
  virtual Result<std::optional<WindowRef>> next(std::chrono::milliseconds wait, std::stop_token stop) = 0;
  /// The same; but where that has nothing, rows may come of a transaction that is still running: windows that
  /// `continue` and have no transaction and no end, with the sequence that it will have. From then on `next`
  /// goes on with them, and after the commit with a window that has no rows and says which transaction it
  /// was. If it is rolled back, even in part, or anything else comes before its commit, `next` fails with
  /// Code::cancelled instead, and what it has given is void: a new cursor has it all in order.
  virtual Result<std::optional<WindowRef>> next_ahead(std::chrono::milliseconds wait, std::stop_token stop) {
    return next(wait, stop);
  }
};

/// Durable, ordered hand-over between one source and its destinations. One appender; any number of cursors.
/// Format: docs/reference/journal-format.md.
class Journal {
 public:
  struct Tail {
    Sequence sequence;  ///< of the last committed record; 0 if empty
    Position position;  ///< its source position; empty if none
    Sequence first;     ///< oldest sequence that is still there
  };

  /// A stretch of the journal that goes as a whole.
  struct Part {
    Sequence last;            ///< the last sequence in it or before it
    std::uint64_t bytes = 0;  ///< on disk
    WallMicros newest = 0;    ///< when its newest transaction committed; 0 if it has none
  };

  virtual ~Journal() = default;
  virtual Tail tail() const = 0;  ///< thread-safe

  /// Begins a new run of the appender: running transactions of earlier runs will never commit.
  virtual Status start(Epoch run) = 0;
  /// Throws away all that is there and goes on after `base`, at source position `position`. For a journal
  /// that no longer fits what the destinations hold. No cursor may be open.
  virtual Status reset(Sequence base, const Position& position) = 0;
  /// Appends what the stream yielded, in its order. Gives windows their sequence; Fragment and Abort take
  /// none that a cursor would see. Idle becomes an empty window. Not yet durable; readable at once.
  virtual Result<Sequence> append(StreamEvent event) = 0;
  /// Makes everything appended so far survive a power cut; returns the last such sequence.
  virtual Result<Sequence> sync() = 0;
  /// While on, cursors see nothing that has not survived a `sync`. Off at first.
  virtual void hold_until_synced(bool on) = 0;
  /// After an error of start, reset, append or sync, which all later ones of these repeat: makes the journal
  /// fit for them again. Everything that has a sequence is still there and durable; running transactions are
  /// dead. An error means that the disk is ill still, so try again later. Nothing happens to a journal that
  /// is well.
  virtual Status mend() = 0;
  /// For a clean end: a part that is worth it is closed, so that whoever opens the journal next need not read
  /// through it. Appending may go on all the same.
  virtual Status close() { return {}; }
  /// A cursor that yields everything after `after`. Code::lost_history if retention has removed it.
  virtual Result<std::unique_ptr<JournalCursor>> read(Sequence after) = 0;
  /// The last sequence before the first transaction that committed at `moment` or later: what to `read` from.
  /// Of that window, transactions before `moment` are to be passed over. Commit times are taken to ascend.
  /// Code::lost_history if retention may have removed such a transaction, Code::invalid_config if `moment` is
  /// after `now`.
  virtual Result<Sequence> before_time(WallMicros moment, WallMicros now) = 0;
  /// The last sequence whose window ends at `position` or before it. Of the next window, transactions up to
  /// `position` are to be passed over. Code::lost_history if that is before what is retained or the position
  /// is of another history of the source, Code::invalid_config if it is after the tail's.
  virtual Result<Sequence> up_to_position(const Position& position, const PositionOrder& order) = 0;
  /// Where the window of that sequence ends, which need not be readable any more: the rows of a large
  /// transaction may be released before its end is. Code::lost_history if it is before what is retained.
  virtual Result<Position> end_of(Sequence sequence) = 0;
  /// Nobody will read up to here any more: whole parts before it go, as far as no running transaction needs
  /// them. After an error the rest goes with the next call.
  virtual Status release(Sequence through) = 0;
  /// From the oldest on, never empty; the last one is being written. Thread-safe.
  virtual std::vector<Part> parts() const = 0;
  /// The latest shape of every table that a retained record speaks of, as of the tail. What a restarted
  /// stream must take as known, because the source's catalogue may be ahead of the log.
  virtual std::vector<SchemaRef> latest_schemas() const = 0;
  /// Bytes on disk. Thread-safe.
  virtual std::uint64_t disk_bytes() const = 0;
};

}  // namespace maia
