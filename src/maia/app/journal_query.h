// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/connector/destination.h"
#include "maia/journal/journal_reader.h"

namespace maia::app {

/// Runs one SELECT over what a journal retains, on the embedded DuckDB, which reads the journal as it goes:
///
/// | relation | columns |
/// | --- | --- |
/// | changes | sequence, transaction, position, committed_at, table_name, op, key, before, after,
/// operation_id | | one for each source table, by its name | sequence, transaction, committed_at, op,
/// operation_id, then the
///   table's columns in their types; those of a deleted row from its before image |
///
/// Code::invalid_config for what is no SELECT or cannot be run.
Result<Destination::QueryResult> query_journal(JournalReader& reader, const std::string& sql,
                                               std::uint64_t most_rows);

}  // namespace maia::app
