// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/connectors/duckdb/connection.h"
#include "maia/connectors/duckdb/encoder.h"
#include "maia/sql/row_index.h"
#include "maia/types/batch.h"

namespace maia::duckdb {

/// Where a column of a loader comes from: the column of a table, from the row or from its old key.
struct LoadColumn {
  std::size_t column = 0;
  bool from_old_key = false;
};

/// Brings rows of batches into a table, or into a statement that reads them as a table, a data chunk at a
/// time. Runs in the connection's transaction. Nothing is sure to be there before finish().
class Loader {
 public:
  /// The name of the rows in the statement of into_statement, and of its columns: maia_rows.c0, c1 ...
  static constexpr const char* kRows = "maia_rows";

  /// Appends to the table `name` of `catalog`, all columns of the schema, whatever their order in the table.
  static Result<Loader> into_table(Connection& connection, const std::string& catalog, const TableName& name,
                                   const TableSchema& schema, const Config& config);
  /// Feeds `sql`. It may run several times, each with some of the rows.
  static Result<Loader> into_statement(Connection& connection, const std::string& sql,
                                       const TableSchema& schema, std::vector<LoadColumn> columns,
                                       const Config& config);
  /// Appends to a table whose columns are those of into_statement.
  static Result<Loader> into_staging(Connection& connection, const std::string& table,
                                     const TableSchema& schema, std::vector<LoadColumn> columns,
                                     const Config& config);

  /// All rows of a batch, their after images.
  Status add(const Batch& batch);
  /// Some rows. `old_keys` is parallel to `rows`, or empty if no column is from_old_key.
  Status add(std::span<const sql::RowRef> rows, std::span<const sql::RowRef> old_keys = {});
  Status finish();

 private:
  Loader(Connection& connection, const TableSchema& schema, std::vector<LoadColumn> columns,
         const Config& config);
  Status append(std::size_t rows);
  Status check(duckdb_state state);
  Error where(Error error, std::size_t index) const;

  Connection* connection_;
  const TableSchema* schema_;
  std::vector<LoadColumn> columns_;
  std::vector<ColumnEncoder> encoders_;
  std::vector<LogicalType> types_;
  std::vector<duckdb_logical_type> raw_types_;
  std::vector<ColumnVector> gathered_;  ///< the values of one chunk's rows, column by column
  ChunkHandle chunk_;
  AppenderHandle appender_;
};

}  // namespace maia::duckdb
