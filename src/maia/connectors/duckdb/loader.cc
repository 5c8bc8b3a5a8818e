// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/loader.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::duckdb {
namespace {

std::vector<LoadColumn> all_columns(const TableSchema& schema) {
  std::vector<LoadColumn> columns;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) columns.push_back({i});
  return columns;
}

}  // namespace

Loader::Loader(Connection& connection, const TableSchema& schema, std::vector<LoadColumn> columns,
               const Config& config)
    : connection_(&connection), schema_(&schema), columns_(std::move(columns)) {
  for (const auto& source : columns_) {
    const auto& type = schema.columns[source.column].type;
    encoders_.emplace_back(type, config);
    types_.push_back(logical_type(type, config));
    raw_types_.push_back(types_.back().get());
    gathered_.emplace_back(physical(type));
  }
  chunk_ = ChunkHandle(duckdb_create_data_chunk(raw_types_.data(), raw_types_.size()));
}

Result<Loader> Loader::into_table(Connection& connection, const std::string& catalog, const TableName& name,
                                  const TableSchema& schema, const Config& config) {
  Loader loader(connection, schema, all_columns(schema), config);
  MAIA_TRY(loader.check(duckdb_appender_create_ext(connection.raw(), catalog.c_str(), name.schema.c_str(),
                                                   name.table.c_str(), loader.appender_.out())));
  for (const auto& column : schema.columns) {
    MAIA_TRY(loader.check(duckdb_appender_add_column(loader.appender_.get(), column.name.c_str())));
  }
  return loader;
}

Result<Loader> Loader::into_statement(Connection& connection, const std::string& sql,
                                      const TableSchema& schema, std::vector<LoadColumn> columns,
                                      const Config& config) {
  Loader loader(connection, schema, std::move(columns), config);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < loader.columns_.size(); ++i) names.push_back(fmt::format("c{}", i));
  std::vector<const char*> raw_names;
  for (const auto& name : names) raw_names.push_back(name.c_str());
  MAIA_TRY(loader.check(duckdb_appender_create_query(connection.raw(), sql.c_str(), raw_names.size(),
                                                     loader.raw_types_.data(), kRows, raw_names.data(),
                                                     loader.appender_.out())));
  return loader;
}

Result<Loader> Loader::into_staging(Connection& connection, const std::string& table,
                                    const TableSchema& schema, std::vector<LoadColumn> columns,
                                    const Config& config) {
  Loader loader(connection, schema, std::move(columns), config);
  MAIA_TRY(loader.check(
      duckdb_appender_create_ext(connection.raw(), "temp", "main", table.c_str(), loader.appender_.out())));
  return loader;
}

Status Loader::add(const Batch& batch) {
  const std::size_t most = duckdb_vector_size();
  for (std::size_t first = 0; first < batch.rows(); first += most) {
    const auto count = std::min(most, batch.rows() - first);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto* vector = duckdb_data_chunk_get_vector(chunk_.get(), i);
      const auto filled = encoders_[i].fill(vector, batch.after(columns_[i].column), first, count);
      if (!filled.ok()) return where(filled.error(), i);
    }
    MAIA_TRY(append(count));
  }
  return {};
}

Status Loader::add(std::span<const sql::RowRef> rows, std::span<const sql::RowRef> old_keys) {
  const std::size_t most = duckdb_vector_size();
  for (std::size_t first = 0; first < rows.size(); first += most) {
    const auto count = std::min(most, rows.size() - first);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto& source = (columns_[i].from_old_key ? old_keys : rows).subspan(first, count);
      gathered_[i].clear();
      for (const auto& row : source) gathered_[i].push_from(row.column(columns_[i].column), row.row);
      auto* vector = duckdb_data_chunk_get_vector(chunk_.get(), i);
      const auto filled = encoders_[i].fill(vector, gathered_[i], 0, count);
      if (!filled.ok()) return where(filled.error(), i);
    }
    MAIA_TRY(append(count));
  }
  return {};
}

Status Loader::append(std::size_t rows) {
  duckdb_data_chunk_set_size(chunk_.get(), rows);
  MAIA_TRY(check(duckdb_append_data_chunk(appender_.get(), chunk_.get())));
  duckdb_data_chunk_reset(chunk_.get());
  return {};
}

Status Loader::finish() { return check(duckdb_appender_close(appender_.get())); }

Status Loader::check(duckdb_state state) {
  if (state == DuckDBSuccess) return {};
  const ErrorHandle error(duckdb_appender_error_data(appender_.get()));
  return connection_->fail(duckdb_error_data_error_type(error.get()), duckdb_error_data_message(error.get()),
                           "write");
}

Error Loader::where(Error error, std::size_t index) const {
  return std::move(error).in(fmt::format("column {}", schema_->columns[columns_[index].column].name));
}

}  // namespace maia::duckdb
