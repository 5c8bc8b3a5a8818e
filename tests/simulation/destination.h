// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "dice.h"
#include "flaw.h"
#include "life.h"
#include "maia/connector/destination.h"
#include "row.h"

namespace maia::simulation {

/// What a destination promises, and how it writes.
enum class Kind : std::uint8_t {
  mirror,       ///< upsert; rows and checkpoint commit together
  overwriting,  ///< upsert by key without transactions: rows first, the checkpoint after them
  log,          ///< append; rows and checkpoint commit together
  loose_log,    ///< append without transactions: rows may come again, with the same operation id
};
std::string_view to_string(Kind kind);
inline bool transactional(Kind kind) { return kind == Kind::mirror || kind == Kind::log; }
inline bool appends(Kind kind) { return kind == Kind::log || kind == Kind::loose_log; }

/// What a simulated destination holds; survives every session.
struct Store {
  std::string name;
  Kind kind = Kind::mirror;
  std::uint64_t epoch = 0;
  std::string taken_by;  ///< the process that has the epoch
  Checkpoint checkpoint;
  std::map<std::string, std::shared_ptr<Table>> tables;  ///< by name here
  // Without transactions changes of a shape may come again, and before them rows of the older shape.
  std::map<std::string, Value> fills;          ///< by column id: what older rows get in one that was added
  std::map<std::string, std::string> renamed;  ///< tables
  /// Called after each commit.
  std::function<void(const Store&)> on_commit;
  /// Chance in percent that the answer to a commit is lost, and the commit with it or not.
  std::uint64_t lost_answers = 0;
  Flaw flaw = Flaw::none;
};

/// A Destination on a store. Checks strictly that what it is told fits what it holds.
class SimulatedDestination final : public Destination {
 public:
  SimulatedDestination(Store& store, Life& life, Dice& dice, std::string process)
      : store_(store), life_(life), dice_(dice), process_(std::move(process)) {}

  bool takes_rows_ahead() const override { return transactional(store_.kind); }
  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override { return Findings{}; }
  Result<Opened> open(std::string_view pipeline, Epoch held) override;
  Status begin() override;
  Status prepare(const TableTarget& target) override;
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) override;
  Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) override;
  Status write(std::span<const Delivery> deliveries) override;
  Status commit(const CheckpointUpdate& update) override;
  void rollback() override;
  bool can_compare() const override { return true; }
  Status begin_staging(const TableTarget& target) override;
  Status stage(const TableTarget& target, const Batch& batch) override;
  Result<Reconciled> reconcile(const TableTarget& target, const Reconciliation& how) override;
  Result<std::vector<std::string>> drop(std::string_view) override { return std::vector<std::string>{}; }

 private:
  using Tables = std::map<std::string, std::shared_ptr<Table>>;
  Status call(std::string_view name) { return life_.call(store_.name, name, session_); }
  Status fenced() const;
  /// What does not fit. That a newer run has written meanwhile is no fault of the engine's; the older run is
  /// told what a server would say.
  Error wrong(std::string what) const;
  Tables& tables() { return transactional(store_.kind) ? working_ : store_.tables; }
  const std::string& current(const std::string& name) const;
  /// For writing: never shared with what is committed.
  Result<Table*> table(const TableName& name);
  Row fitted(Row row, const TableSchema& shape, const Table& table) const;
  Status write_row(Table& table, const Delivery& delivery, std::size_t row);
  Status apply_update(Table& table, const Delivery& delivery, std::size_t row,
                      std::vector<Row>::iterator old);

  Store& store_;
  Life& life_;
  Dice& dice_;
  const std::string process_;
  std::uint64_t session_ = 0;
  std::uint64_t epoch_ = 0;
  Tables working_;
  Tables staged_;
};

}  // namespace maia::simulation
