// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/bookkeeping.h"
#include "maia/connectors/duckdb/comparer.h"
#include "maia/connectors/duckdb/config.h"
#include "maia/connectors/duckdb/connection.h"
#include "maia/connectors/duckdb/tables.h"
#include "maia/connectors/duckdb/writer.h"

namespace maia::duckdb {

/// A DuckDB file. Rows, shapes and checkpoint change in one transaction, which is durable when commit
/// returns: DuckDB syncs its log within COMMIT.
class DuckDbDestination final : public Destination {
 public:
  explicit DuckDbDestination(Config config) : config_(std::move(config)) {}

  bool takes_rows_ahead() const override { return true; }
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
  Result<QueryResult> query(std::string_view sql, const QueryLimits& limits) override;
  Result<std::vector<std::string>> drop(std::string_view pipeline) override;

 private:
  /// What there is between open() and the end.
  struct Session {
    Session(Connection opened, const std::string& catalog, const Config& config, std::string_view pipeline)
        : connection(std::move(opened)),
          bookkeeping(connection, catalog),
          tables(connection, catalog, config, std::string(pipeline)),
          writer(connection, catalog, config),
          comparer(connection, catalog, config) {}
    Connection connection;
    Bookkeeping bookkeeping;
    Tables tables;
    Writer writer;
    Comparer comparer;
  };

  Status in_transaction(Connection& connection, std::string_view doing, const std::function<Status()>& work);

  Config config_;
  std::string pipeline_;
  Epoch epoch_;
  std::mutex mutex_;                    ///< guards database_, which queries of other threads take
  std::shared_ptr<Database> database_;  ///< set by open()
  std::unique_ptr<Session> session_;
};

}  // namespace maia::duckdb
