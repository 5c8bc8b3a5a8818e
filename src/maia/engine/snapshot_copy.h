// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/connector/source.h"
#include "maia/engine/copy_queue.h"
#include "maia/engine/options.h"
#include "maia/engine/table_entry.h"
#include "maia/state/dead_letters.h"

namespace maia::engine {

/// Copies the tables that one destination lacks, out of one snapshot: readers in parallel by chunks, one
/// writer. What is done is a fact in the destination's checkpoint, committed with the rows. A table with
/// TableFact::resync is staged beside its rows instead, and compared with them once it is whole; if only some
/// rows are asked for, it is left staged (TableEntry::staged_at). Used from the destination's thread; owns
/// the readers' threads and ends them when destroyed. With PipelineOptions::snapshot_readers 0 it reads on
/// the caller's thread, one chunk a step.
class SnapshotCopy {
 public:
  /// Commits the facts of the given tables with what has been written.
  using Commit = std::function<Status()>;
  /// The rows that are to be copied, or nothing if that is all of them.
  using Sift =
      std::function<Result<std::optional<Batch>>(const Batch&, TableEntry&, std::span<const Transaction>)>;
  /// Keeps the rows that the transforms refused.
  using Bury = std::function<Status(const Batch&, TableEntry&, std::span<const Transaction>,
                                    const std::vector<RowFailure>&)>;
  /// Hears which table an error belongs to, before the call returns it.
  using Blame = std::function<void(const TableEntry&)>;
  struct Parts {
    Destination& destination;
    Commit commit;
    Sift sift;
    Bury bury;
    Blame blame;
    StageLoad* load = nullptr;  ///< of the queue between readers and writer
    WallMicros started_at = 0;
    bool keep_surplus = false;  ///< see Destination::Reconciliation
    bool keys_hold = false;     ///< keys are the source's own, so that no two rows can have the same
    bool transactional = true;  ///< rows are not there before the commit that tells of them
  };

  /// Plans the tables and makes them ready at the destination (one transaction), then starts the readers.
  /// `tables` outlive the copy; each lacks rows, and its changes up to the snapshot's position do not.
  static Result<std::unique_ptr<SnapshotCopy>> start(Parts parts, std::shared_ptr<Snapshot> snapshot,
                                                     std::vector<TableEntry*> tables,
                                                     const PipelineOptions& options);
  ~SnapshotCopy();

  /// Writes and commits one round of chunks. True when that was the last one.
  Result<bool> step(std::stop_token stop);

  /// Rows that the destination refused because of what is in them.
  struct Refused {
    std::string table_id;
    Batch batch;
    Transaction snapshot;
    bool fresh = false;  ///< as in the write
  };
  /// Those of the step that failed with this, once.
  std::optional<Refused> take_refused() { return std::exchange(refused_, std::nullopt); }

 private:
  SnapshotCopy(Parts parts, std::shared_ptr<Snapshot> snapshot, std::vector<TableEntry*> tables,
               std::size_t budget);
  Status plan(std::size_t index, std::vector<CopyJob>& jobs);
  Status begin_rows(TableEntry& entry, TablePlan& plan);
  void schedule(std::vector<CopyJob> jobs);
  Status blamed(std::size_t table, Status done);
  Status take_round(std::stop_token stop);
  Status read_inline(std::stop_token stop);
  void read_all(std::stop_token stop);
  Status write(const CopyJob& job, Batch batch);
  Status complete(const CopyJob& job);
  Status finish_table(std::size_t table);

  Parts parts_;
  std::shared_ptr<Snapshot> snapshot_;
  std::vector<TableEntry*> tables_;
  std::vector<SchemaRef> schemas_;  // as the readers use them; constant once the readers run
  std::vector<bool> converging_;    // by table
  std::vector<std::size_t> left_;   // chunks, by table
  std::map<std::pair<std::size_t, std::uint32_t>, std::uint64_t> rows_in_chunk_;
  std::uint64_t round_ = 0;
  std::uint64_t rounds_ = 0;
  CopyQueue queue_;
  std::optional<Refused> refused_;
  std::unique_ptr<ChunkReader> inline_reader_;
  std::vector<std::jthread> readers_;
};

}  // namespace maia::engine
