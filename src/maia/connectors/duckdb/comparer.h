// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/connection.h"

namespace maia::duckdb {

/// Compares tables with rows that are staged in temporary tables of the connection, in its transaction.
class Comparer {
 public:
  Comparer(Connection& connection, std::string catalog, const Config& config)
      : connection_(connection), catalog_(std::move(catalog)), config_(config) {}

  /// Destination::begin_staging, stage and reconcile.
  Status begin(const TableTarget& target);
  Status stage(const TableTarget& target, const Batch& batch);
  Result<Destination::Reconciled> reconcile(const TableTarget& target,
                                            const Destination::Reconciliation& how);

 private:
  /// The table that has the target's staged rows.
  std::string staging_of(const TableTarget& target);

  Connection& connection_;
  std::string catalog_;
  const Config& config_;
  std::map<TableName, std::size_t> numbers_;
};

}  // namespace maia::duckdb
