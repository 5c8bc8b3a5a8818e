// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/postgres/catalog.h"

namespace maia::postgres {

TableProblem problem_of(const CatalogTable& table) {
  const auto name = sql_name(table.name);
  const auto key_of_full_or_pk = [&] {
    return "ALTER TABLE " + name + " ADD PRIMARY KEY (...); or, for tables without a key: ALTER TABLE " +
           name + " REPLICA IDENTITY FULL;";
  };
  switch (table.kind) {
    case 'r':
    case 'p': break;
    case 'v': return {"is a view; views have no log of changes", "select the tables that it reads"};
    case 'm': return {"is a materialized view; it has no log of changes", "select the tables that it reads"};
    case 'f': return {"is a foreign table; its changes are logged elsewhere", "connect to its own server"};
    default: return {fmt::format("is a relation of an unknown kind '{}'", table.kind), ""};
  }
  if (table.is_partition) return {"is a partition; changes are sent under its root", "select the root table"};
  if (table.persistence == 'u') {
    return {"is unlogged; its changes are in no log", "ALTER TABLE " + name + " SET LOGGED;"};
  }
  if (table.persistence == 't') return {"is a temporary table of one session", ""};
  if (table.odd_leaves > 0) {
    return {"has partitions that are foreign, unlogged, or of another replica identity than the table",
            "ALTER TABLE <partition> REPLICA IDENTITY ...; as for the table itself"};
  }
  if (table.columns.empty()) return {"has no column that is published", ""};
  if (table.replica_identity == 'n') {
    return {"has replica identity nothing: its updates and deletes do not say which row they mean",
            "ALTER TABLE " + name + " REPLICA IDENTITY DEFAULT; (with a primary key) or ... FULL;"};
  }
  if (table.replica_identity == 'i' && table.identity == Identity::none) {
    return {"has replica identity index, but the index is gone", key_of_full_or_pk()};
  }
  if (table.identity == Identity::none) {
    return {"has no primary key, so its updates and deletes do not say which row they mean",
            key_of_full_or_pk()};
  }
  return {};
}

namespace {

SourceTable offer(const CatalogTable& table) {
  SourceTable offered;
  offered.schema = std::make_shared<const TableSchema>(table.schema());
  for (const auto& column : table.columns)
    offered.mappings.push_back(mapping_of(column.native, column.mapped));
  auto found = problem_of(table);
  offered.problem = std::move(found.problem);
  offered.hint = std::move(found.hint);
  offered.rows_estimate = table.rows_estimate;
  return offered;
}

}  // namespace

Result<std::vector<SourceTable>> offer_tables(Connection& connection, const Selection& selection,
                                              const PublicationScope& scope) {
  // By a wildcard only what can have a log of changes is meant; by name anything, so that we can say why not.
  const auto is_named = [&](const TableName& name) {
    return std::any_of(selection.named().begin(), selection.named().end(),
                       [&](const auto& named) { return selection.names(named, name); });
  };
  auto tables = MAIA_TRY(read_tables(connection, scope, [&](const CatalogTable& table) {
    if (!selection.includes(table.name)) return false;
    const bool table_like =
        (table.kind == 'r' || table.kind == 'p') && !table.is_partition && table.persistence != 't';
    return table_like || is_named(table.name);
  }));
  std::vector<SourceTable> offered;
  for (const auto& table : tables) offered.push_back(offer(table));
  for (const auto& named : selection.named()) {
    const bool found = std::any_of(tables.begin(), tables.end(),
                                   [&](const auto& table) { return selection.names(named, table.name); });
    if (found || !selection.includes(named.name)) continue;
    SourceTable missing;
    TableSchema schema;
    schema.name = named.name;
    missing.schema = std::make_shared<const TableSchema>(std::move(schema));
    missing.problem = "does not exist";
    missing.hint = "check `tables:`; names are compared as they are, upper and lower case matter";
    offered.push_back(std::move(missing));
  }
  return offered;
}

}  // namespace maia::postgres
