// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/connection.h"

#include <fmt/format.h>

#include "maia/connectors/duckdb/new_file.h"

namespace maia::duckdb {
namespace {

Error open_error(const Config& config, std::string message) {
  if (message.find("Could not set lock") != message.npos) {
    return {
        Error::Code::unavailable, Recovery::halt,
        fmt::format("{}: another process has the file open: {}", config.path, message),
        "DuckDB lets one process have a file. Close the other one, or ask a running MAIA with `maia query`."};
  }
  if (message.find("different configuration") != message.npos) {
    return {Error::Code::invalid_config, Recovery::halt,
            fmt::format("{}: opened twice in this process with different settings", config.path),
            "Give every pipeline that writes to this file the same memory_limit and threads."};
  }
  return {Error::Code::storage, Recovery::halt, fmt::format("{}: cannot be opened: {}", config.path, message),
          "Check that the folder is there and may be written, and that the file is a DuckDB database."};
}

/// DuckDB keeps one instance per file here, so that two openings of one file do not corrupt it.
duckdb_instance_cache instances() {
  static const auto cache = duckdb_create_instance_cache();
  return cache;
}

duckdb_state bind(duckdb_prepared_statement statement, idx_t index, const Parameter& parameter) {
  if (const auto* number = std::get_if<std::uint64_t>(&parameter)) {
    return duckdb_bind_uint64(statement, index, *number);
  }
  if (const auto* text = std::get_if<std::string>(&parameter)) {
    return duckdb_bind_varchar_length(statement, index, text->data(), text->size());
  }
  if (const auto* bytes = std::get_if<Bytes>(&parameter)) {
    return duckdb_bind_blob(statement, index, bytes->value.data(), bytes->value.size());
  }
  return duckdb_bind_null(statement, index);
}

Error to_error(duckdb_error_type type, const char* message, std::string_view doing) {
  Error error{Error::Code::internal,
              Recovery::halt,
              fmt::format("DuckDB: {}: {}", doing, message ? message : "unknown error"),
              {}};
  switch (type) {
    case DUCKDB_ERROR_TRANSACTION:
      error.code = Error::Code::unavailable;
      error.recovery = Recovery::retry;
      break;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_CONNECTION:
      error.code = Error::Code::unavailable;
      error.recovery = Recovery::reconnect;
      break;
    case DUCKDB_ERROR_IO:
      error.code = Error::Code::storage;
      error.hint = "Check the disk that holds the file: free space, permissions, health.";
      break;
    case DUCKDB_ERROR_INTERRUPT: error.code = Error::Code::cancelled; break;
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_DECIMAL:
    case DUCKDB_ERROR_CONSTRAINT: error.code = Error::Code::data; break;
    case DUCKDB_ERROR_CATALOG:
    case DUCKDB_ERROR_BINDER:
    case DUCKDB_ERROR_DEPENDENCY:
      error.code = Error::Code::check_failed;
      error.hint = "If the tables in the file were changed by hand, undo that or resync the table.";
      break;
    default: break;
  }
  return error;
}

}  // namespace

Result<std::shared_ptr<Database>> Database::open(const Config& config) {
  if (auto made = make_new_file(config.path); !made.ok()) return open_error(config, made.error().message);
  ConfigHandle settings;
  duckdb_create_config(settings.out());
  const auto memory = fmt::format("{}KiB", config.memory_limit.bytes / 1024);
  const auto threads = std::to_string(config.threads);
  const std::pair<const char*, const char*> options[] = {
      {"memory_limit", memory.c_str()},
      {"threads", threads.c_str()},
      {"enable_external_access", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      // Order is only kept where asked for; loads need far less memory without.
      {"preserve_insertion_order", "false"},
      // What was freed goes back to the system soon, and not when it is as much as the limit itself.
      {"allocator_flush_threshold", "8MiB"},
  };
  for (const auto& [name, value] : options) {
    if (duckdb_set_config(settings.get(), name, value) == DuckDBSuccess) continue;
    return Error{Error::Code::unsupported,
                 Recovery::halt,
                 fmt::format("this version of DuckDB does not know its setting {}", name),
                 {}};
  }
  auto database = std::make_shared<Database>();
  database->buffers_ = &Buffers::of(config.path);
  database->memory_limit_ = config.memory_limit;
  char* message = nullptr;
  if (duckdb_get_or_create_from_cache(instances(), config.path.c_str(), database->handle_.out(),
                                      settings.get(), &message) != DuckDBSuccess) {
    const std::string text = message ? message : "unknown error";
    duckdb_free(message);
    return open_error(config, text);
  }
  auto connection = MAIA_TRY(database->connect());
  const auto name = MAIA_TRY(connection.rows("SELECT current_database()", {}, "open"));
  database->catalog_ = name.at(0).at(0).value_or("");
  return database;
}

Result<Connection> Database::connect() {
  Connection connection;
  if (duckdb_connect(handle_.get(), connection.handle_.out()) != DuckDBSuccess) {
    return Error{Error::Code::unavailable, Recovery::reconnect, "DuckDB: a new connection was refused", {}};
  }
  const auto size = buffers_->size(memory_limit_);
  MAIA_TRY(connection.run(fmt::format("SET memory_limit = '{}KiB'; SET TimeZone = 'UTC'", size.bytes / 1024),
                          "connect"));
  if (size < memory_limit_) connection.buffers_ = buffers_;
  return connection;
}

Error Connection::fail(duckdb_error_type type, const char* message, std::string_view doing) {
  auto error = to_error(type, message, doing);
  if (!is_out_of_memory(type, message)) return error;
  error.code = Error::Code::storage;
  if (buffers_) {
    buffers_->grow();
    error.recovery = Recovery::reconnect;
    error.hint =
        "From now on DuckDB has all of the destination's memory_limit, and not half of it; try again.";
  } else {
    error.recovery = Recovery::halt;
    error.hint =
        "Raise memory_limit of the DuckDB destination. DuckDB needs room for 2048 values of a column at "
        "once, which counts where values are large.";
  }
  return error;
}

Status Connection::run(const std::string& sql, std::string_view doing) {
  ResultHandle result;
  if (duckdb_query(raw(), sql.c_str(), result.out()) == DuckDBSuccess) return {};
  auto failed = result.get();
  return fail(duckdb_result_error_type(&failed), duckdb_result_error(&failed), doing);
}

Result<ResultHandle> Connection::execute(const std::string& sql, const std::vector<Parameter>& parameters,
                                         std::string_view doing) {
  PreparedHandle statement;
  if (duckdb_prepare(raw(), sql.c_str(), statement.out()) != DuckDBSuccess) {
    return fail(DUCKDB_ERROR_CATALOG, duckdb_prepare_error(statement.get()), doing);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (bind(statement.get(), i + 1, parameters[i]) != DuckDBSuccess) {
      return fail(DUCKDB_ERROR_CONVERSION, duckdb_prepare_error(statement.get()), doing);
    }
  }
  ResultHandle result;
  if (duckdb_execute_prepared(statement.get(), result.out()) != DuckDBSuccess) {
    auto failed = result.get();
    return fail(duckdb_result_error_type(&failed), duckdb_result_error(&failed), doing);
  }
  return result;
}

Result<std::uint64_t> Connection::change(const std::string& sql, const std::vector<Parameter>& parameters,
                                         std::string_view doing) {
  const auto result = MAIA_TRY(execute(sql, parameters, doing));
  auto handle = result.get();
  return duckdb_rows_changed(&handle);
}

Result<TextRows> Connection::rows(const std::string& sql, const std::vector<Parameter>& parameters,
                                  std::string_view doing) {
  const auto result = MAIA_TRY(execute(sql, parameters, doing));
  auto handle = result.get();
  const auto columns = duckdb_column_count(&handle);
  TextRows rows;
  for (;;) {
    const ChunkHandle chunk(duckdb_fetch_chunk(handle));
    if (!chunk.get()) return rows;
    const auto first = rows.size();
    rows.resize(first + duckdb_data_chunk_get_size(chunk.get()));
    for (idx_t column = 0; column < columns; ++column) {
      auto* vector = duckdb_data_chunk_get_vector(chunk.get(), column);
      auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
      auto* valid = duckdb_vector_get_validity(vector);
      for (std::size_t i = first; i < rows.size(); ++i) {
        auto& value = rows[i].emplace_back();
        if (valid && !duckdb_validity_row_is_valid(valid, i - first)) continue;
        auto& text = values[i - first];
        value.emplace(duckdb_string_t_data(&text), duckdb_string_t_length(text));
      }
    }
  }
}

}  // namespace maia::duckdb
