// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::sql {

// Names and texts as SQL source, one function per dialect. Each is injective (two inputs never give the same
// SQL) and takes its input as it is: a name that already looks quoted is quoted again, because the quotes are
// then part of the name. Code::data when the dialect cannot hold the input at all: NUL bytes, invalid UTF-8,
// an empty name, a name that the server would cut.

/// A PostgreSQL identifier, always in double quotes. At most 63 bytes: the server cuts longer names without
/// an error, and two of them could then become one.
Result<std::string> postgres_identifier(std::string_view name);
/// A PostgreSQL string literal that means the same under every standard_conforming_strings.
Result<std::string> postgres_literal(std::string_view text);
/// "schema"."table", or "table" alone when the schema is empty.
Result<std::string> postgres_table(const TableName& name);

/// A MySQL or MariaDB identifier, always in backticks. At most 64 characters, none beyond U+FFFF and no blank
/// at the end: the servers hold no others.
Result<std::string> mysql_identifier(std::string_view name);
/// A string literal for sessions without NO_BACKSLASH_ESCAPES in sql_mode. Holds NUL.
Result<std::string> mysql_literal(std::string_view text);
/// `database`.`table`, or `table` alone when the schema is empty.
Result<std::string> mysql_table(const TableName& name);

/// A DuckDB identifier, always in double quotes. DuckDB compares identifiers without regard to ASCII case
/// even so; whoever creates tables from names that differ only in case has to look out for that.
Result<std::string> duckdb_identifier(std::string_view name);
Result<std::string> duckdb_literal(std::string_view text);
Result<std::string> duckdb_table(const TableName& name);

}  // namespace maia::sql
