// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/existing_rows.h"

#include "maia/connectors/postgres/catalog.h"

namespace maia::postgres {
namespace {

// A default is stored as a parse tree; the functions in it say whether it is immutable. attmissingval is an
// array of one element.
constexpr const char* kDefault = R"sql(
SELECT a.atthasmissing,
       CASE WHEN t.typdelim = ',' THEN (a.attmissingval::text::text[])[1]
            ELSE btrim(a.attmissingval::text, '{}') END,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attidentity <> '' OR EXISTS (
         SELECT FROM pg_catalog.regexp_matches(d.adbin::text, ':(?:op)?funcid (\d+)', 'g') m
         JOIN pg_catalog.pg_proc f ON f.oid = m[1]::oid WHERE f.provolatile <> 'i'),
       n.nspname, c.relname, a.attname
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND a.attnum = $2::int2 AND NOT a.attisdropped
)sql";

}  // namespace

Result<std::optional<std::string>> existing_rows(Connection& connection, const TableSchema& table,
                                                 const Column& column) {
  using Value = std::optional<std::string>;
  if (column.id.starts_with('?')) return Value{};
  const Parameter parameters[] = {table.id, column.id};
  const auto rows = MAIA_TRY(connection.query(kDefault, parameters));
  if (rows.size() == 0) return Value{};
  if (rows.boolean(0, 0)) return rows.optional(0, 1);
  const auto expression = rows.optional(0, 2);
  const bool varies = rows.boolean(0, 3);
  if (!expression && !varies) return Value{};
  const auto relation = sql_name(TableName{rows.str(0, 4), rows.str(0, 5)});
  const auto nulls = MAIA_TRY(connection.query("SELECT EXISTS (SELECT FROM " + relation + " WHERE " +
                                               sql_name(rows.str(0, 6)) +
                                               " IS NULL), NOT EXISTS (SELECT FROM " + relation + ")"));
  if (nulls.boolean(0, 0) || nulls.boolean(0, 1)) return Value{};
  if (varies) {
    return Error{Error::Code::unsupported, Recovery::halt,
                 "column " + column.name +
                     " was added with a default that differs from row to row; the rows that "
                     "were there got values that are in no log",
                 "copy the table again (`maia resync`)"};
  }
  const auto value = MAIA_TRY(connection.query("SELECT (" + *expression + ")::text"));
  return value.optional(0, 0);
}

}  // namespace maia::postgres
