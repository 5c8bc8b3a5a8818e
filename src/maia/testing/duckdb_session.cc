// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/duckdb_session.h"

#include <duckdb.h>

#include <vector>

namespace maia::testing {
namespace {

/// Ends the life of a C object at the end of the scope.
template <class T, void (*destroy)(T*)>
struct Scoped {
  T value{};
  Scoped() = default;
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;
  ~Scoped() { destroy(&value); }
};

using ScopedResult = Scoped<duckdb_result, duckdb_destroy_result>;
using ScopedStatement = Scoped<duckdb_prepared_statement, duckdb_destroy_prepare>;
using ScopedPending = Scoped<duckdb_pending_result, duckdb_destroy_pending>;
using ScopedChunk = Scoped<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using ScopedConfig = Scoped<duckdb_config, duckdb_destroy_config>;

Error refused(std::string_view sql, const char* text) {
  return {.code = Error::Code::data,
          .message = std::string(sql.substr(0, 200)) + ": " + (text != nullptr ? text : "refused")};
}

/// The values of a chunk whose columns are all VARCHAR.
void take_rows(duckdb_data_chunk chunk, const std::function<void(Row&&)>& take) {
  std::vector<duckdb_string_t*> values;
  std::vector<std::uint64_t*> valid;
  for (idx_t column = 0; column < duckdb_data_chunk_get_column_count(chunk); ++column) {
    const auto vector = duckdb_data_chunk_get_vector(chunk, column);
    values.push_back(static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)));
    valid.push_back(duckdb_vector_get_validity(vector));
  }
  for (idx_t number = 0; number < duckdb_data_chunk_get_size(chunk); ++number) {
    Row row(values.size());
    for (std::size_t column = 0; column < values.size(); ++column) {
      if (valid[column] != nullptr && !duckdb_validity_row_is_valid(valid[column], number)) continue;
      auto& value = values[column][number];
      row[column].emplace(duckdb_string_t_data(&value), duckdb_string_t_length(value));
    }
    take(std::move(row));
  }
}

}  // namespace

void DuckdbSession::Close::operator()(_duckdb_database* database) const { duckdb_close(&database); }

void DuckdbSession::Close::operator()(_duckdb_connection* connection) const {
  duckdb_disconnect(&connection);
}

Result<DuckdbSession> DuckdbSession::open(const std::string& path, Access access) {
  ScopedConfig config;
  duckdb_create_config(&config.value);
  duckdb_set_config(config.value, "access_mode", access == Access::read_only ? "READ_ONLY" : "READ_WRITE");
  duckdb_database database = nullptr;
  char* text = nullptr;
  if (duckdb_open_ext(path.c_str(), &database, config.value, &text) != DuckDBSuccess) {
    auto error = refused("open " + path, text);
    error.code = Error::Code::unavailable;
    duckdb_free(text);
    return error;
  }
  std::unique_ptr<_duckdb_database, Close> owned(database);
  duckdb_connection connection = nullptr;
  if (duckdb_connect(database, &connection) != DuckDBSuccess) return refused("connect to " + path, nullptr);
  DuckdbSession session(std::move(owned), std::unique_ptr<_duckdb_connection, Close>(connection));
  MAIA_TRY(session.execute("set TimeZone = 'UTC'"));
  return session;
}

Status DuckdbSession::execute(std::string_view sql) {
  ScopedResult result;
  if (duckdb_query(connection_.get(), std::string(sql).c_str(), &result.value) == DuckDBSuccess) return {};
  return refused(sql, duckdb_result_error(&result.value));
}

Result<Rows> DuckdbSession::query(std::string_view sql) {
  Rows rows;
  MAIA_TRY(each_row(sql, [&](Row&& row) { rows.push_back(std::move(row)); }));
  return rows;
}

Status DuckdbSession::each_row(std::string_view sql, const std::function<void(Row&&)>& take) {
  const auto as_text = "select cast(columns(*) as varchar) from (" + std::string(sql) + ")";
  ScopedStatement statement;
  if (duckdb_prepare(connection_.get(), as_text.c_str(), &statement.value) != DuckDBSuccess) {
    return refused(sql, duckdb_prepare_error(statement.value));
  }
  ScopedPending pending;
  ScopedResult result;
  if (duckdb_pending_prepared_streaming(statement.value, &pending.value) != DuckDBSuccess) {
    return refused(sql, duckdb_pending_error(pending.value));
  }
  if (duckdb_execute_pending(pending.value, &result.value) != DuckDBSuccess) {
    return refused(sql, duckdb_result_error(&result.value));
  }
  for (;;) {
    ScopedChunk chunk;
    chunk.value = duckdb_fetch_chunk(result.value);
    if (chunk.value == nullptr || duckdb_data_chunk_get_size(chunk.value) == 0) break;
    take_rows(chunk.value, take);
  }
  if (const char* text = duckdb_result_error(&result.value); text != nullptr && *text != '\0') {
    return refused(sql, text);
  }
  return {};
}

}  // namespace maia::testing
