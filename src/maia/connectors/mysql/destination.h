// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/connectors/mysql/checkpoint.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/destination_config.h"
#include "maia/connectors/mysql/write_target.h"

namespace maia::mysql {

/// Writes tables of a MySQL or MariaDB server. Rows and checkpoint commit together. CREATE and ALTER TABLE
/// commit by themselves there: tables are made on a second session, before the transaction that writes to
/// them; an alteration first commits what came before it (checkpoint.h says how that stays exact).
class MysqlDestination final : public maia::Destination {
 public:
  explicit MysqlDestination(DestinationConfig config) : config_(std::move(config)) {}

  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override;
  using Destination::open;
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
  Result<std::vector<std::string>> drop(std::string_view pipeline) override;

 private:
  Result<std::unique_ptr<Connection>> connect(std::string_view pipeline);
  /// For statements that commit by themselves.
  Result<Connection*> second_session();
  TableTarget placed(const TableTarget& target) const;
  /// What the session knows of a target; reads the catalogue at the first use.
  Result<WriteTarget*> bound(const TableTarget& target);
  void forget_session();
  /// By target, without what is there already.
  Result<std::vector<TargetDeliveries>> group(std::span<const Delivery> deliveries);
  const Batch* without_what_is_there(const TableName& name, const Delivery& delivery);
  Status write_changes(std::span<const TargetDeliveries> groups);
  /// Commits what was written before an alteration, and notes how far that is.
  Status settle(const std::string& alteration);
  Status send_commit();
  Status refuse();
  Result<Reconciled> reconcile_by_key(const WriteTarget& target, const Reconciliation& how);
  Result<Reconciled> replace_rows(const WriteTarget& target, const Reconciliation& how);

  DestinationConfig config_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Connection> second_;
  Hold held_;
  Position position_;
  std::map<TableName, std::unique_ptr<WriteTarget>> targets_;
  std::size_t targets_made_ = 0;
  HalfDone half_done_;                       ///< durable beyond the checkpoint
  bool before_alteration_ = false;           ///< what comes again has not yet come to half_done_.altering
  std::map<TableName, Place> written_;       ///< in the running transaction
  bool prepared_ = false;                    ///< it has tables that are noted as being made
  std::vector<std::unique_ptr<Batch>> cut_;  ///< batches of the write at hand, shortened
};

}  // namespace maia::mysql
