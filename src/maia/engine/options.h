// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/engine/confirm.h"
#include "maia/engine/retention.h"

namespace maia::engine {

/// What happens at the destination to a row that was deleted at the source.
enum class Deletes : std::uint8_t { apply, soft, ignore };

/// Renames tables on the way: `from` and `to` are "schema.table" with at most one `*` in each part; what a
/// star of `from` matched replaces the star of the same part of `to`. The first rule that matches counts.
struct RouteRule {
  std::string from;
  std::string to;
};

/// What a change of a table's shape at the source does to the destination.
enum class Drift : std::uint8_t {
  evolve,      ///< the destination follows; if it cannot, the pipeline stops
  try_evolve,  ///< the destination follows where it can, otherwise keeps its shape
  lenient,     ///< nothing is taken away: dropped and renamed columns stay, without values
  ignore,      ///< the destination keeps its shape
  stop,        ///< the pipeline stops before the first row that needs the change
};

struct DriftOptions {
  Drift on_drift = Drift::evolve;
  std::map<ColumnChange::Kind, Drift> by_kind;  ///< overrides
  Drift of(ColumnChange::Kind kind) const {
    const auto found = by_kind.find(kind);
    return found == by_kind.end() ? on_drift : found->second;
  }
};

/// What becomes of a row that a transform or the destination refuses.
enum class RowErrorPolicy : std::uint8_t {
  stop,         ///< nothing goes on before somebody has mended it
  dead_letter,  ///< it is kept with all that is needed to send it again
  skip,         ///< it is counted and gone
};

struct RowErrors {
  RowErrorPolicy transform = RowErrorPolicy::dead_letter;
  RowErrorPolicy write = RowErrorPolicy::dead_letter;
  /// Later changes of a row that has a dead letter are put aside behind it. Otherwise they are delivered if
  /// they say all of the row.
  bool later_changes_wait = true;
  std::size_t max_dead_letters = 1000;  ///< that wait, for each table
};

/// One destination of a pipeline, apart from the connector's own settings.
struct DestinationOptions {
  std::string name;
  TableTarget::Mode mode = TableTarget::Mode::upsert;
  Deletes deletes = Deletes::apply;
  std::vector<std::string> key;  ///< for every table; empty: the table's own
  std::map<std::string, std::vector<std::string>>
      key_by_table;  ///< by "schema.table" or "table" at the source
  std::vector<RouteRule> routes;
  bool transactional = false;  ///< rows and checkpoint commit together, and rows can be found again
  bool allow_merge = false;    ///< several source tables may meet in one destination table
  DriftOptions drift;
  std::size_t max_rows = 100'000;  ///< of one destination transaction, as far as source transactions allow
  std::size_t max_bytes = 32 * 1024 * 1024;
};

struct PipelineOptions {
  std::string name;
  bool snapshot = true;  ///< copy the rows that are there before streaming
  /// Rows can be read at the source. Otherwise it is a log and no more (Capabilities::snapshot): `snapshot`
  /// is off, and nothing that has to read rows again is begun (docs/decisions/0011).
  bool source_has_rows = true;
  std::uint32_t snapshot_readers = 2;
  std::size_t snapshot_queue_bytes = 16 * 1024 * 1024;
  bool stop_on_row_failure = false;  ///< a failure for good stops the pipeline, not only what it belongs to
  /// When the source cannot give what came after the checkpoint, capture begins anew and the tables are
  /// compared, instead of stopping.
  bool resync_lost_history = false;
  RowErrors row_errors;
  std::string file_version;  ///< hash of the pipeline file, for dead letters; may be empty
  RetentionOptions retention;
  ConfirmOptions confirm;
  std::chrono::milliseconds heartbeat{10'000};
  std::chrono::milliseconds idle_checkpoint{10'000};  ///< how often an idle source's position is made durable
};

}  // namespace maia::engine
