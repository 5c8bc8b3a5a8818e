// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/mysql/checkpoint.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/stored_table.h"

namespace maia::mysql {

// The tables of a destination. Each statement that makes or alters one commits at once, as MySQL has it, so
// none of it runs on a connection with an open transaction, and each can be done again: what is there already
// is left as it is.

/// Creates the table and its database if they are missing, otherwise verifies that the table fits the target:
/// an InnoDB table with every column, types that hold every value, nothing else required, and for upsert a
/// unique key of exactly the target's columns whose texts are told apart. Code::invalid_config with
/// everything that differs; but one that an earlier run has made and never committed to is made anew.
Status make_table(Connection& connection, const Hold& held, const TableTarget& target);

/// Brings the table from the shape and name of `before` to those of `after` in one statement, which also
/// notes the version of `after` in the table's comment: by that it is known that it was done.
Status alter_table(Connection& connection, const TableTarget& before, const TableTarget& after,
                   const SchemaChange& change);

// What both are made of.

Status verify_table(const StoredTable& stored, const TableTarget& target);
Status ensure_database(Connection& connection, const std::string& name);
/// "`name` TYPE NOT NULL"
Result<std::string> column_definition(const Connection& connection, const Column& column,
                                      const StoredType& stored);
/// The columns of the primary key that MAIA makes: none where rows are not looked up.
std::vector<std::size_t> index_columns(const TableTarget& target);
/// Names in quotes, with commas between them.
Result<std::string> listed(std::span<const std::string> names);

}  // namespace maia::mysql
