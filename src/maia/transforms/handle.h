// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <duckdb.h>

#include <utility>

namespace maia::transforms {

/// Owns an object of DuckDB's C API. `out()` is for the functions that fill one in; what it held is destroyed
/// first.
template <class T, auto destroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Handle() { destroy(&value_); }

  T get() const { return value_; }
  T* out() {
    destroy(&value_);
    value_ = T{};
    return &value_;
  }

 private:
  T value_{};
};

using ChunkHandle = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using ConfigHandle = Handle<duckdb_config, duckdb_destroy_config>;
using ConnectionHandle = Handle<duckdb_connection, duckdb_disconnect>;
using DatabaseHandle = Handle<duckdb_database, duckdb_close>;
using LogicalTypeHandle = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using PreparedHandle = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using ResultHandle = Handle<duckdb_result, duckdb_destroy_result>;
using ScalarFunctionHandle = Handle<duckdb_scalar_function, duckdb_destroy_scalar_function>;
using TableFunctionHandle = Handle<duckdb_table_function, duckdb_destroy_table_function>;
using ValueHandle = Handle<duckdb_value, duckdb_destroy_value>;

}  // namespace maia::transforms
