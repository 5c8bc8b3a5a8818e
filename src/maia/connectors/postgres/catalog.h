// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/native_type.h"
#include "maia/connectors/postgres/type_map.h"
#include "maia/sql/selection.h"

namespace maia::postgres {

using sql::Selection;

/// A column that is published, with its type.
struct CatalogColumn {
  NativeColumn native;
  MappedType mapped;
  bool in_key = false;
};

/// A table as the server's catalogue has it now. The columns are those that the stream sends, in the order of
/// their numbers: no generated ones unless the publication publishes them, none outside of its column list.
struct CatalogTable {
  Oid oid = 0;
  TableName name;
  char kind = 'r';              ///< pg_class.relkind
  char persistence = 'p';       ///< pg_class.relpersistence
  char replica_identity = 'd';  ///< pg_class.relreplident
  bool is_partition = false;
  Identity identity = Identity::key;
  std::vector<CatalogColumn> columns;
  std::vector<int> dropped;  ///< numbers of columns that are gone
  std::string row_filter;    ///< of the publication, as SQL; empty: none
  std::uint64_t rows_estimate = 0;
  std::uint64_t odd_leaves = 0;  ///< partitions that do not fit their root: foreign, unlogged, other identity

  TableSchema schema() const;  ///< version 1
  bool all_binary() const;     ///< every column has a binary decoder
};

/// What the publication sends of generated columns, and which one it is.
struct PublicationScope {
  std::string name;
  bool generated_columns = false;  ///< stored ones are sent (PostgreSQL 18)
};

/// Relations outside of the system's schemas for which `wanted` says yes. Partitions and views are shown to
/// `wanted` too, by their kind. One catalogue query for relations, one for columns, one for types.
using Wanted = std::function<bool(const CatalogTable&)>;
Result<std::vector<CatalogTable>> read_tables(Connection& connection, const PublicationScope& scope,
                                              const Wanted& wanted);
/// One table by its oid; nothing if it is gone.
Result<std::optional<CatalogTable>> read_table(Connection& connection, const PublicationScope& scope,
                                               Oid oid);

/// Native types by oid and modifier, for columns that are known from a Relation message. A type that is gone
/// is not in the result.
Result<TypeCatalogue> read_types(Connection& connection, std::span<const Oid> oids);

/// The schemas that a bare table name means: `public` and the search path of role and database.
Result<std::vector<std::string>> read_search_path(Connection& connection);

/// What the configuration selects, each with its problem if it has one. A table that is named and does not
/// exist is in the list, without columns.
Result<std::vector<SourceTable>> offer_tables(Connection& connection, const Selection& selection,
                                              const PublicationScope& scope);
/// Why a table cannot be synchronized, and the statement that mends it; both empty if it can.
struct TableProblem {
  std::string problem;
  std::string hint;
};
TableProblem problem_of(const CatalogTable& table);

/// "schema"."table" for SQL; names from a catalogue always fit.
std::string sql_name(const TableName& name);
std::string sql_name(std::string_view identifier);

}  // namespace maia::postgres
