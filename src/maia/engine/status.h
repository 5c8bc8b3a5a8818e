// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"
#include "maia/engine/table_fact.h"

namespace maia::engine {

/// What people see of one table at one destination.
struct TableStatus {
  std::string id;
  std::string source;  ///< name at the source
  std::string target;  ///< name at the destination
  TableState state = TableState::waiting;
  bool copied = false;     ///< all its rows are there
  std::string reason;      ///< quarantined: what failed
  std::string hint;        ///< quarantined: what to do about it
  WallMicros left_at = 0;  ///< paused, quarantined: since when
  std::string held_after;  ///< it lacks what came after this place, in words; empty: nothing
  std::uint64_t snapshot_rows = 0;
  std::uint64_t snapshot_rows_estimate = 0;
  WallMicros snapshot_started = 0;   ///< of this run; 0: not in this run
  WallMicros snapshot_finished = 0;  ///< of this run
  std::uint64_t snapshot_rows_at_start = 0;
  std::uint64_t changes = 0;         ///< delivered in this run
  std::uint64_t schema_changes = 0;  ///< followed since the table is here
  std::string last_schema_change;
  std::uint64_t dead_letters = 0;  ///< in this run
  std::uint64_t dead_letters_waiting = 0;
  std::uint64_t skipped = 0;          ///< in this run
  std::uint64_t resync_inserted = 0;  ///< by the last resync of this run
  std::uint64_t resync_updated = 0;
  std::uint64_t resync_removed = 0;
};

/// What one stage holds in memory, and how long it has waited for the next one.
struct StageStatus {
  std::uint64_t held_bytes = 0;
  std::int64_t waited_micros = 0;
};

struct DestinationStatus {
  std::string name;
  std::string state = "opening";  ///< opening, snapshot, streaming, waiting to retry, paused, failed
  std::uint64_t sequence = 0;
  std::string position;         ///< in words
  std::int64_t lag_micros = 0;  ///< of the newest transaction that is durable; 0 when caught up
  std::uint64_t commits = 0;
  std::uint64_t retries = 0;
  std::uint64_t attempts_left = 0;  ///< retries that may be made at once; engine/backoff.h
  StageStatus copy;                 ///< readers of the snapshot, for room in its queue
  StageStatus delivery;             ///< delivery, for the destination
  std::string last_error;
  std::string hint;
  std::map<std::string, TableStatus> tables;  ///< by table id
};

struct PipelineStatus {
  std::string name;
  /// opening, streaming, waiting to retry, waiting for the disk, waiting for room in the journal, failed,
  /// lost history
  std::string capture = "opening";
  std::string capture_error;
  std::string capture_hint;
  std::map<std::string, std::uint64_t> lost_history;  ///< how often in this process, by Error::reason
  std::string notice;    ///< what the owner should know though everything runs; "" if nothing
  std::string captured;  ///< position in words
  std::uint64_t captured_changes = 0;
  std::optional<std::uint64_t> source_lag_bytes;
  std::optional<std::uint64_t> source_held_bytes;  ///< not confirmed yet
  bool confirms_journaled = false;  ///< the source may discard what is durable in the journal only
  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_max_bytes = 0;  ///< 0: no limit
  StageStatus capturing;                ///< capture, for the journal
  std::uint64_t reconnects = 0;
  std::uint64_t attempts_left = 0;  ///< connections to the source that may be tried at once
  std::vector<DestinationStatus> destinations;
};

/// Where tasks write what people see. Thread-safe; written at most a few times per second and table by each
/// task.
class StatusBoard {
 public:
  void change(const std::function<void(PipelineStatus&)>& edit) {
    const std::lock_guard lock(mutex_);
    edit(status_);
  }
  PipelineStatus read() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  PipelineStatus status_;  // guarded by mutex_
};

/// What happens in a pipeline, for logs and metrics. Called from the tasks' threads; must be thread-safe and
/// quick.
class Observer {
 public:
  virtual ~Observer() = default;
  enum class Level { info, warning, error };
  using Fields = std::vector<std::pair<std::string_view, std::string>>;
  /// `what` of the event when a destination, its field "destination", has copied its tables.
  static constexpr std::string_view kCopied = "snapshot complete";
  virtual void event(Level level, std::string_view what, const Fields& fields) = 0;
};

}  // namespace maia::engine
