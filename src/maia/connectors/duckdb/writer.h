// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/connection.h"
#include "maia/connectors/duckdb/table_sql.h"
#include "maia/sql/net_changes.h"

namespace maia::duckdb {

/// Puts the rows of Destination::write into their tables, within the transaction of the connection.
class Writer {
 public:
  Writer(Connection& connection, std::string catalog, const Config& config)
      : connection_(connection), catalog_(std::move(catalog)), config_(config) {}

  Status write(std::span<const Delivery> deliveries);

 private:
  Status write_table(const TableTarget& target, std::span<const Delivery* const> deliveries);
  Status append(const TableTarget& target, std::span<const Delivery* const> deliveries);
  Status write_keyed(const TableTarget& target, std::span<const Delivery* const> deliveries);
  Status write_multiset(const TableTarget& target, std::span<const Delivery* const> deliveries);
  Status apply(const TableTarget& target, const TableSql& sql, const sql::NetRound& round);
  Status capture_moves(const TableTarget& target, const TableSql& sql, const sql::NetRound& round);
  Status put_moved(const TableTarget& target, const TableSql& sql);
  Status remove(const TableTarget& target, const TableSql& sql, const sql::NetRound& round);
  Status update(const TableTarget& target, const TableSql& sql, const sql::UpdateGroup& group);
  Status insert(const TableTarget& target, std::span<const sql::RowRef> rows,
                std::span<const sql::RowRef> more);

  Connection& connection_;
  std::string catalog_;
  const Config& config_;
  sql::NetChanges net_changes_;
  sql::NetMultiset net_multiset_;
};

}  // namespace maia::duckdb
