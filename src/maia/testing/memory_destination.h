// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/testing/memory_source.h"

namespace maia::testing {

/// What survives a MemoryDestination: rows, checkpoint and epoch, changed together at commit. Thread-safe.
class MemoryStore {
 public:
  struct State {
    std::uint64_t epoch = 0;
    Checkpoint checkpoint;
    std::map<std::string, MemoryDatabase::Rows> tables;  // by name at the destination
    std::set<std::string> finished;                      // tables whose snapshot was finished
  };
  State read() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  /// Somebody changes rows by hand; a transaction that is under way does not undo it.
  void damage(const std::function<void(State&)>& edit) {
    const std::lock_guard lock(mutex_);
    edit(state_);
    edits_.push_back(edit);
  }
  /// Called with each committed state, under the lock.
  std::function<void(const State&)> on_commit;

 private:
  friend class MemoryDestination;
  mutable std::mutex mutex_;
  State state_;                                     // guarded by mutex_
  std::vector<std::function<void(State&)>> edits_;  // all of them; guarded by mutex_
};

/// A transactional destination for the tables of a MemoryDatabase. Steps that may fail: "open", "begin",
/// "prepare", "write", "row TABLE ID", "stage", "reconcile", "commit" (before anything happened) and "answer"
/// (the commit happened, its answer is lost). Strict: an insert of a row that is there, or an update or
/// remove of one that is not, is an error of the test, unless it comes as converging. Compares rows for
/// conditions on `id`.
class MemoryDestination final : public Destination {
 public:
  /// Both outlive the destination.
  MemoryDestination(MemoryStore& store, Faults& faults) : store_(store), faults_(faults) {}

  bool takes_rows_ahead() const override { return true; }
  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override { return Findings{}; }
  using Destination::open;
  Result<Opened> open(std::string_view pipeline, Epoch held) override;
  Status begin() override;
  Status prepare(const TableTarget& target) override;
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) override;
  Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) override;
  Status write(std::span<const Delivery> deliveries) override;
  Status commit(const CheckpointUpdate& update) override;
  void rollback() override { working_ = {}; }
  bool can_compare() const override { return true; }
  Status begin_staging(const TableTarget& target) override;
  Status stage(const TableTarget& target, const Batch& batch) override;
  Status finish_snapshot(std::span<const TableTarget* const> targets) override;
  Result<Reconciled> reconcile(const TableTarget& target, const Reconciliation& how) override;
  Result<std::vector<std::string>> drop(std::string_view) override { return std::vector<std::string>{}; }

 private:
  Status write_row(const Delivery& delivery, std::size_t row);

  MemoryStore& store_;
  Faults& faults_;
  std::uint64_t epoch_ = 0;
  MemoryStore::State working_;
  std::size_t edits_seen_ = 0;                          ///< that working_ has
  std::map<std::string, MemoryDatabase::Rows> staged_;  // by name at the destination
};

}  // namespace maia::testing
