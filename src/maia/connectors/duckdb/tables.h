// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/bookkeeping.h"
#include "maia/connectors/duckdb/connection.h"

namespace maia::duckdb {

/// Creates, verifies and changes the tables of targets, in the connection's transaction. Tables have no
/// primary key index (docs/decisions); their keys are in the bookkeeping.
class Tables {
 public:
  Tables(Connection& connection, std::string catalog, const Config& config, std::string pipeline)
      : connection_(connection),
        bookkeeping_(connection, catalog),
        catalog_(std::move(catalog)),
        config_(config),
        pipeline_(std::move(pipeline)) {}

  /// Destination::prepare.
  Status prepare(const TableTarget& target);
  /// Destination::alter.
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change);
  Status truncate(const TableTarget& target);
  /// A transaction begins.
  void begin() { touched_.clear(); }
  /// The transaction changes rows of the table.
  void touch(const TableName& name) { touched_.insert(with_schema(name)); }

 private:
  Status check_names(const TableTarget& target) const;
  Status create(const TableTarget& target);
  Status verify(const TableTarget& target, const TextRows& existing) const;
  Status verify_unique_key(const TableTarget& target);
  Result<TextRows> existing_columns(const TableName& name);
  Status check_new_name(const TableName& before, const TableName& after);
  Status alter_in_place(const TableTarget& before, const TableTarget& after, const SchemaChange& change);
  Status rebuild(const TableTarget& before, const TableTarget& after, const SchemaChange& change);
  /// What a column of `after` is made of, in SQL on the table of `before`.
  Result<std::string> column_value(const TableTarget& before, const Column& column,
                                   const SchemaChange& change);
  Status check_plain(const TableName& name);
  Status check_none(const std::string& table, const std::string& condition, Error error);
  Result<std::string> existing_value(const Column& column, const std::optional<std::string>& text);

  Connection& connection_;
  Bookkeeping bookkeeping_;
  std::string catalog_;
  const Config& config_;
  std::string pipeline_;
  std::set<TableName> touched_;  ///< tables whose rows or shape the transaction has changed
};

/// The key of a target as the bookkeeping keeps it.
Result<std::string> key_text(const TableTarget& target);
/// "name" TYPE NOT NULL
Result<std::string> column_definition(const Column& column, const Config& config);

}  // namespace maia::duckdb
