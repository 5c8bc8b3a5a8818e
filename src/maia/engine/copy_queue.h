// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/engine/stage_load.h"
#include "maia/types/batch.h"

namespace maia::engine {

/// One chunk to copy, and where its rows belong.
struct CopyJob {
  std::size_t table = 0;  ///< index in the copier's list of tables
  Chunk chunk;
  std::uint64_t round = 0;
};

/// Hands chunks to the readers and their batches to the one writer. Chunks come in rounds, and the writer
/// commits after each: then no chunk is half written, so a chunk is done or not done in the same transaction
/// as its rows. Readers run ahead into the next rounds as far as the byte budget allows. Thread-safe.
class CopyQueue {
 public:
  /// `load`, if given, outlives the queue and is told what it holds and how long readers wait.
  explicit CopyQueue(std::size_t budget_bytes, StageLoad* load = nullptr)
      : budget_(budget_bytes), load_(load) {}

  void add(CopyJob job);

  /// Reader: the next chunk; nothing when none is left or the copy ended.
  std::optional<CopyJob> take();
  /// Reader: hands over rows of a chunk; waits while the budget is used up, except that an empty lane always
  /// takes one. Code::cancelled when the copy ended.
  Status push(const CopyJob& job, Batch batch, std::stop_token stop);
  void finish(const CopyJob& job);
  /// Reader: the copy cannot go on; because of this table, if one is named.
  void fail(std::optional<std::size_t> table, Error error);

  struct Item {
    CopyJob job;
    std::optional<Batch> batch;  ///< nothing: the chunk is complete
  };
  /// Writer: the next batch or end of chunk of the round. Nothing when the round is complete. The first error
  /// of a reader.
  Result<std::optional<Item>> next(std::uint64_t round, std::stop_token stop);
  /// The table that a reader failed at first.
  std::optional<std::size_t> failed_table() const;
  /// Writer: no more pushes are wanted; readers return.
  void end();

 private:
  void note_bytes() const {
    if (load_) load_->hold(bytes_);
  }

  const std::size_t budget_;
  StageLoad* const load_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<CopyJob> jobs_;
  std::map<std::uint64_t, std::deque<Item>> lanes_;   // by round
  std::map<std::uint64_t, std::size_t> open_chunks_;  // by round: not yet complete
  std::uint64_t current_ = 0;
  std::size_t bytes_ = 0;
  std::optional<Error> error_;
  std::optional<std::size_t> failed_table_;
  bool ended_ = false;
};

}  // namespace maia::engine
