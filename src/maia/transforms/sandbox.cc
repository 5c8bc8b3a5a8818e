// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/sandbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>

#include "maia/transforms/functions.h"
#include "maia/transforms/sql_tree.h"
#include "maia/transforms/values.h"

namespace maia::transforms {
namespace {

/// In this order, before the database opens; `lock_configuration` comes last, when the functions are there.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"temp_directory", ""},  // before the next, which forbids it
    {"enable_external_access", "false"},
    {"autoinstall_known_extensions", "false"},
    {"autoload_known_extensions", "false"},
    {"allow_community_extensions", "false"},
    {"allow_persistent_secrets", "false"},
    {"threads", "1"},
};

std::atomic<std::uint64_t> memory_bytes{std::uint64_t{1} << 30};

Error failed(std::string_view doing, const char* message) {
  return {Error::Code::internal, Recovery::halt,
          fmt::format("the embedded DuckDB: {}: {}", doing, first_line(message)), ""};
}

Status run(duckdb_connection connection, const char* sql) {
  ResultHandle result;
  if (duckdb_query(connection, sql, result.out()) == DuckDBSuccess) return {};
  auto raw = result.get();
  return failed(sql, duckdb_result_error(&raw));
}

}  // namespace

std::string first_line(const char* message) {
  std::string text = message == nullptr ? "" : message;
  if (const auto excerpt = text.find("\n\nLINE "); excerpt != text.npos) text.resize(excerpt);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Result<std::shared_ptr<Sandbox>> Sandbox::instance() {
  static std::mutex mutex;
  static std::weak_ptr<Sandbox> living;
  const std::lock_guard lock(mutex);
  if (auto sandbox = living.lock()) return sandbox;
  std::shared_ptr<Sandbox> sandbox(new Sandbox());
  MAIA_TRY(sandbox->open());
  living = sandbox;
  return sandbox;
}

void Sandbox::limit_memory(std::uint64_t bytes) { memory_bytes = bytes; }

Sandbox::~Sandbox() = default;

Status Sandbox::open() {
  ConfigHandle config;
  if (duckdb_create_config(config.out()) != DuckDBSuccess) return failed("configure", "");
  for (const auto& [name, value] : kSettings) {
    if (duckdb_set_config(config.get(), name, value) != DuckDBSuccess) return failed("configure", name);
  }
  const auto memory = fmt::format("{}KiB", memory_bytes / 1024);
  if (duckdb_set_config(config.get(), "memory_limit", memory.c_str()) != DuckDBSuccess)
    return failed("configure", "memory_limit");
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, database_.out(), config.get(), &message) != DuckDBSuccess) {
    auto error = failed("open", message);
    duckdb_free(message);
    return error;
  }
  auto connection = MAIA_TRY(connect());
  MAIA_TRY(register_input(connection.get()));
  MAIA_TRY(register_functions(connection.get()));
  for (const auto* macro : macros()) MAIA_TRY(run(connection.get(), macro));
  aggregates_ = MAIA_TRY(aggregate_names(connection.get()));
  return run(connection.get(), "SET lock_configuration = true");
}

Result<ConnectionHandle> Sandbox::connect() {
  ConnectionHandle connection;
  if (duckdb_connect(database_.get(), connection.out()) != DuckDBSuccess) return failed("connect", "");
  return connection;
}

Status Sandbox::register_input(duckdb_connection connection) {
  TableFunctionHandle function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), "maia_input");
  const LogicalTypeHandle number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_set_extra_info(function.get(), this, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), init);
  duckdb_table_function_set_function(function.get(), fill);
  if (duckdb_register_table_function(connection, function.get()) != DuckDBSuccess) {
    return failed("register", "maia_input");
  }
  return {};
}

std::string Sandbox::add(Feed* feed) {
  const std::lock_guard lock(mutex_);
  feeds_[++last_number_] = feed;
  return fmt::format("maia_input({})", last_number_);
}

void Sandbox::remove(Feed* feed) {
  const std::lock_guard lock(mutex_);
  std::erase_if(feeds_, [&](const auto& entry) { return entry.second == feed; });
}

Feed* Sandbox::find(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = feeds_.find(number);
  return found == feeds_.end() ? nullptr : found->second;
}

void Sandbox::bind(duckdb_bind_info info) {
  auto* sandbox = static_cast<Sandbox*>(duckdb_bind_get_extra_info(info));
  const ValueHandle number(duckdb_bind_get_parameter(info, 0));
  auto* feed = sandbox->find(duckdb_get_int64(number.get()));
  if (feed == nullptr) return duckdb_bind_set_error(info, "no such input");
  for (const auto& column : feed->columns()) {
    duckdb_bind_add_result_column(info, column.name.c_str(), logical_type(column.type).get());
  }
  duckdb_bind_set_bind_data(info, feed, nullptr);
}

void Sandbox::init(duckdb_init_info info) {
  static_cast<Feed*>(duckdb_init_get_bind_data(info))->rewind();
  duckdb_init_set_max_threads(info, 1);
}

void Sandbox::fill(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto* feed = static_cast<Feed*>(duckdb_function_get_bind_data(info));
  if (const auto reason = feed->fill(chunk)) duckdb_function_set_error(info, reason->c_str());
}

}  // namespace maia::transforms
