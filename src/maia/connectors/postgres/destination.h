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

#include "maia/connector/destination.h"
#include "maia/connectors/postgres/array_writer.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/destination_config.h"
#include "maia/connectors/postgres/group_writer.h"
#include "maia/connectors/postgres/row_writer.h"
#include "maia/connectors/postgres/stored_table.h"
#include "maia/connectors/postgres/write_target.h"

namespace maia::postgres {

/// Writes tables of a PostgreSQL database. Transactional: rows, DDL and checkpoint commit together.
class PostgresDestination final : public maia::Destination {
 public:
  explicit PostgresDestination(DestinationConfig config) : config_(std::move(config)) {}

  bool takes_rows_ahead() const override { return true; }
  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override;
  using Destination::open;
  Result<Opened> open(std::string_view pipeline, Epoch held) override;
  Status begin() override;
  Status prepare(const TableTarget& target) override { return prepare(target, false); }
  Status prepare_load(const TableTarget& target) override { return prepare(target, true); }
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) override;
  Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) override;
  Status write(std::span<const Delivery> deliveries) override;
  Status commit(const CheckpointUpdate& update) override;
  void rollback() override;
  Status finish_snapshot(std::span<const TableTarget* const> targets) override;
  bool can_compare() const override { return true; }
  Status begin_staging(const TableTarget& target) override;
  Status stage(const TableTarget& target, const Batch& batch) override;
  Result<Reconciled> reconcile(const TableTarget& target, const Reconciliation& how) override;
  Result<std::vector<std::string>> drop(std::string_view pipeline) override;

 private:
  Status connect(std::string_view pipeline);
  Status choose_role();
  Status prepare(const TableTarget& target, bool key_later);
  /// Of a table that was only loaded so far.
  Status make_key_that_lacks(const TableTarget& target);
  TableTarget placed(const TableTarget& target) const;
  /// What the session knows of a target; reads the catalogue at the first use.
  Result<WriteTarget*> bound(const TableTarget& target);
  void unbind(const TableName& name);
  void forget_session();
  Result<std::vector<TargetDeliveries>> group(std::span<const Delivery> deliveries);
  Status write_changes(std::span<const TargetDeliveries> groups);
  enum class Way : std::uint8_t { rows, copied, arrays, staged, put_back };
  std::vector<Way> ways_for(std::span<const TargetDeliveries> groups) const;
  /// False if the way does not do for these changes.
  Result<bool> write_by(Way way, std::span<const TargetDeliveries> groups);
  Status flush_commits();
  bool may_put_back(std::span<const TargetDeliveries> groups) const;

  DestinationConfig config_;
  std::string pipeline_;
  std::unique_ptr<Connection> connection_;
  PreparedStatements statements_;
  std::optional<RowWriter> row_writer_;
  std::optional<ArrayWriter> array_writer_;
  std::optional<GroupWriter> group_writer_;
  ServerTypes types_;
  bool checks_foreign_keys_ = true;
  /// Transactions are seen at their commit, and `commit` returns when they are durable: readers do not wait
  /// for the disk.
  bool shows_early_ = false;
  Epoch epoch_;
  Sequence sequence_;
  std::map<TableName, std::unique_ptr<WriteTarget>> targets_;
  std::vector<TableName> changed_;  ///< made or altered in the running transaction
  std::size_t targets_made_ = 0;
};

}  // namespace maia::postgres
