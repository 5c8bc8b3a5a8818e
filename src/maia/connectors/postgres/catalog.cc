// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace maia::postgres {
namespace {

constexpr std::string_view kRelations = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relispartition,
       CASE WHEN c.relkind = 'p' THEN leaves.rows ELSE greatest(c.reltuples, 0)::bigint END,
       coalesce(leaves.odd, 0),
       key.columns, {columns_of_publication},
       (SELECT string_agg(a.attnum::text, ',') FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attisdropped)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_publication p ON p.pubname = $1
LEFT JOIN pg_catalog.pg_publication_rel pr ON pr.prpubid = p.oid AND pr.prrelid = c.oid
LEFT JOIN LATERAL (
  SELECT sum(greatest(l.reltuples, 0))::bigint AS rows,
         count(*) FILTER (WHERE l.relkind <> 'r' OR l.relpersistence <> c.relpersistence
                                OR l.relreplident <> c.relreplident) AS odd
  FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid
  WHERE t.isleaf AND l.oid <> c.oid
) leaves ON c.relkind = 'p'
LEFT JOIN LATERAL (
  SELECT string_agg(k.attnum::text, ',') AS columns
  FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
  WHERE i.indrelid = c.oid AND i.indisvalid AND k.place <= i.indnkeyatts
    AND CASE c.relreplident WHEN 'i' THEN i.indisreplident
                            WHEN 'd' THEN i.indisprimary AND i.indimmediate
                            ELSE i.indisprimary END
) key ON true
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND ($2 = '0' OR c.oid = $2::oid)
ORDER BY n.nspname, c.relname
)sql";

constexpr std::string_view kColumns = R"sql(
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.attndims, a.attnotnull OR t.typnotnull,
       a.attgenerated
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
)sql";

/// A list of numbers out of the catalogue: "1,2" or an int2vector's "1 2".
std::vector<int> numbers(std::string_view text) {
  std::vector<int> out;
  int value = 0;
  bool open = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value * 10 + (c - '0');
      open = true;
    } else if (open) {
      out.push_back(std::exchange(value, 0));
      open = false;
    }
  }
  if (open) out.push_back(value);
  return out;
}

bool contains(const std::vector<int>& list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <class T>
std::string oid_array(const T& oids) {
  return fmt::format("{{{}}}", fmt::join(oids, ","));
}

/// What is needed of a relation until its columns are read.
struct Draft {
  CatalogTable table;
  std::vector<int> key;
  std::vector<int> column_list;  ///< of the publication; empty: all
};

Draft draft_of(const Rows& rows, std::size_t r) {
  Draft draft;
  auto& table = draft.table;
  const auto letter = [&](std::size_t column) {
    return rows.text(r, column).empty() ? ' ' : rows.text(r, column)[0];
  };
  table.oid = static_cast<Oid>(rows.integer(r, 0));
  table.name = {rows.str(r, 1), rows.str(r, 2)};
  table.kind = letter(3);
  table.persistence = letter(4);
  table.replica_identity = letter(5);
  table.is_partition = rows.boolean(r, 6);
  table.rows_estimate = static_cast<std::uint64_t>(rows.integer(r, 7));
  table.odd_leaves = static_cast<std::uint64_t>(rows.integer(r, 8));
  draft.key = numbers(rows.text(r, 9));
  draft.column_list = numbers(rows.text(r, 10));
  table.row_filter = rows.str(r, 11);
  table.dropped = numbers(rows.text(r, 12));
  switch (table.replica_identity) {
    case 'f': table.identity = Identity::full; break;
    case 'n': table.identity = Identity::none; break;
    default: table.identity = draft.key.empty() ? Identity::none : Identity::key; break;
  }
  return draft;
}

/// Fills the columns of the drafts.
Status read_columns(Connection& connection, const PublicationScope& scope, std::vector<Draft>& drafts) {
  std::unordered_map<Oid, Draft*> by_oid;
  std::vector<Oid> oids;
  for (auto& draft : drafts) {
    by_oid[draft.table.oid] = &draft;
    oids.push_back(draft.table.oid);
  }
  const Parameter parameters[] = {oid_array(oids)};
  const auto rows = MAIA_TRY(connection.query(std::string(kColumns), parameters));
  std::set<Oid> type_oids;
  for (std::size_t r = 0; r < rows.size(); ++r) type_oids.insert(static_cast<Oid>(rows.integer(r, 3)));
  const std::vector<Oid> types(type_oids.begin(), type_oids.end());
  const auto catalogue = MAIA_TRY(read_types(connection, types));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto& draft = *by_oid[static_cast<Oid>(rows.integer(r, 0))];
    const auto attnum = static_cast<std::int16_t>(rows.integer(r, 1));
    const char generated = rows.text(r, 8).empty() ? '\0' : rows.text(r, 8)[0];
    const bool listed = draft.column_list.empty() || contains(draft.column_list, attnum);
    const bool sent =
        generated == 0 || (generated == 's' && (scope.generated_columns || !draft.column_list.empty()) &&
                           connection.server_version() >= 180'000);
    if (!listed || !sent) continue;
    CatalogColumn column;
    column.native.name = rows.str(r, 2);
    column.native.attnum = attnum;
    column.native.type = MAIA_TRY(catalogue.resolve(
        static_cast<Oid>(rows.integer(r, 3)), static_cast<std::int32_t>(rows.integer(r, 4)), rows.str(r, 5)));
    column.native.dimensions = static_cast<std::uint16_t>(rows.integer(r, 6));
    column.native.not_null = rows.boolean(r, 7);
    column.native.generated = generated;
    column.mapped = map_type(column.native.type, column.native.dimensions);
    column.in_key = contains(draft.key, attnum);
    draft.table.columns.push_back(std::move(column));
  }
  return {};
}

Result<std::vector<CatalogTable>> read(Connection& connection, const PublicationScope& scope, Oid oid,
                                       const Wanted& wanted) {
  const bool lists = connection.server_version() >= 150'000;
  auto sql = std::string(kRelations);
  const std::string_view slot = "{columns_of_publication}";
  sql.replace(sql.find(slot), slot.size(),
              lists ? "pr.prattrs::text, pg_catalog.pg_get_expr(pr.prqual, pr.prrelid)" : "NULL, NULL");
  const Parameter parameters[] = {scope.name, std::to_string(oid)};
  const auto rows = MAIA_TRY(connection.query(sql, parameters));
  std::vector<Draft> drafts;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto draft = draft_of(rows, r);
    if (wanted(draft.table)) drafts.push_back(std::move(draft));
  }
  if (!drafts.empty()) MAIA_TRY(read_columns(connection, scope, drafts));
  std::vector<CatalogTable> tables;
  for (auto& draft : drafts) tables.push_back(std::move(draft.table));
  return tables;
}

}  // namespace

std::string sql_name(std::string_view identifier) {
  std::string out = "\"";
  for (const char c : identifier) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}
std::string sql_name(const TableName& name) { return sql_name(name.schema) + "." + sql_name(name.table); }

TableSchema CatalogTable::schema() const {
  TableSchema schema;
  schema.id = std::to_string(oid);
  schema.name = name;
  schema.identity = identity;
  for (const auto& column : columns) {
    schema.columns.push_back(map_column(column.native, column.mapped));
    schema.columns.back().in_key = column.in_key;
  }
  return schema;
}

bool CatalogTable::all_binary() const {
  return std::all_of(columns.begin(), columns.end(),
                     [](const auto& column) { return column.mapped.has_binary; });
}

Result<TypeCatalogue> read_types(Connection& connection, std::span<const Oid> oids) {
  const Parameter parameters[] = {oid_array(oids)};
  const auto rows = MAIA_TRY(connection.query(std::string(kTypeCatalogueQuery), parameters));
  TypeCatalogue catalogue;
  std::vector<std::optional<std::string_view>> values(rows.columns());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < values.size(); ++c) {
      values[c] = rows.is_null(r, c) ? std::nullopt : std::optional(rows.text(r, c));
    }
    MAIA_TRY(catalogue.add_row(values));
  }
  return catalogue;
}

Result<std::vector<CatalogTable>> read_tables(Connection& connection, const PublicationScope& scope,
                                              const Wanted& wanted) {
  return read(connection, scope, 0, wanted);
}

Result<std::optional<CatalogTable>> read_table(Connection& connection, const PublicationScope& scope,
                                               Oid oid) {
  auto tables = MAIA_TRY(read(connection, scope, oid, [](const CatalogTable&) { return true; }));
  if (tables.empty()) return std::optional<CatalogTable>{};
  return std::optional(std::move(tables.front()));
}

Result<std::vector<std::string>> read_search_path(Connection& connection) {
  // reset_val is what the session began with; the session's own search path is empty (session.h).
  const auto rows = MAIA_TRY(connection.query(
      "SELECT DISTINCT CASE WHEN part = '$user' THEN session_user ELSE part END FROM (SELECT "
      "btrim(btrim(raw), "
      "'\"') AS part FROM pg_catalog.pg_settings, unnest(string_to_array(reset_val, ',')) raw WHERE name = "
      "'search_path') parts"));
  std::vector<std::string> path = {"public"};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows.text(r, 0) != "public" && !rows.text(r, 0).empty()) path.push_back(rows.str(r, 0));
  }
  return path;
}

}  // namespace maia::postgres
