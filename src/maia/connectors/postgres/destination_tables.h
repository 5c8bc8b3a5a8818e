// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/stored_table.h"

namespace maia::postgres {

/// The tables of a destination: made, verified and altered in the running transaction.

/// Creates the table and its schema if they are missing, otherwise verifies that the table fits the target:
/// a table or partitioned table with every column, types that hold every value, nothing else required, and a
/// unique key of exactly the target's columns. Code::invalid_config with everything that differs.
/// With `key_later` a table that is created lacks its key (StoredTable::lacks_key); otherwise the key is made
/// if that is so.
Status make_table(Connection& connection, const TableTarget& target, const ServerTypes& types,
                  bool key_later = false);
/// Makes the key of a table that lacks it.
Status make_key(Connection& connection, const TableTarget& target);
Status verify_table(const StoredTable& stored, const TableTarget& target, const ServerTypes& types);

/// Brings the table from the shape and name of `before` to those of `after`.
Status alter_table(Connection& connection, const TableTarget& before, const TableTarget& after,
                   const SchemaChange& change, const ServerTypes& types);

/// Empties all of the tables in one statement. Where other tables refer to them, their rows are deleted
/// instead, so that no table but these loses any.
Status truncate_tables(Connection& connection, std::span<const TableName> tables, bool restart_identity);

/// Sets the sequences that columns of the table own so that the next value is above all that are there.
Status raise_sequences(Connection& connection, const TableName& table);

/// CREATE TABLE as make_table runs it.
Result<std::string> create_table_sql(const TableTarget& target, const ServerTypes& types,
                                     bool with_key = true);

}  // namespace maia::postgres
