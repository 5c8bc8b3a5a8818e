// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/native_type.h"
#include "maia/connectors/mysql/source_config.h"
#include "maia/connectors/mysql/type_map.h"
#include "maia/sql/selection.h"

namespace maia::mysql {

struct CatalogColumn {
  std::string name;
  NativeType native;
  MappedType mapped;
  bool nullable = true;
  bool in_key = false;
  bool generated = false;
  std::optional<std::string> default_text;  ///< a constant; nothing for NULL
  bool default_is_constant = true;
};

/// A table as the server's catalogue has it now, with its columns in their order.
struct CatalogTable {
  TableName name;
  std::string engine;
  std::uint64_t rows_estimate = 0;
  std::vector<CatalogColumn> columns;
};

/// Which tables a configuration means.
class TableChoice {
 public:
  static Result<TableChoice> make(const SourceConfig& config);
  bool includes(const TableName& name) const;
  /// For conditions of the catalogue's views; empty: any.
  const std::string& only_database() const { return only_database_; }

 private:
  sql::Selection selection_;
  std::string only_database_;
};

/// Tables that are chosen, in the order of their names; or the one with this name.
Result<std::vector<CatalogTable>> read_tables(Connection& connection, const TableChoice& choice);
Result<std::optional<CatalogTable>> read_table(Connection& connection, const TableName& name);

/// The table as the source offers it. `zero_dates`: columns of dates may be NULL that are not at the source.
SchemaRef schema_of(const CatalogTable& table, ZeroDates zero_dates, std::uint32_t version = 1);
SourceTable offer(const CatalogTable& table, ZeroDates zero_dates);

/// What Column::native_type says, and back. It has the character set, which the catalogue keeps apart, so
/// that rows of the log can be read by a schema alone.
std::string spelled_with_charset(const NativeType& native);
Result<NativeType> native_of(const Column& column);

/// A name, a text and a table's name as SQL.
Result<std::string> sql_table(const TableName& name);

}  // namespace maia::mysql
