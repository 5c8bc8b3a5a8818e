// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/connection.h"

namespace maia::duckdb {

/// Answers one SELECT on a connection of its own, in a transaction that cannot write. Thread-safe. Refuses
/// with Code::invalid_config whatever is not exactly one SELECT (DESCRIBE, SHOW TABLES and SUMMARIZE count
/// as one), and table functions that do more than read.
Result<Destination::QueryResult> run_query(Database& database, std::string_view sql,
                                           const Destination::QueryLimits& limits);

}  // namespace maia::duckdb
