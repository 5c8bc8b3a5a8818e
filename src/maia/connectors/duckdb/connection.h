// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/duckdb/buffers.h"
#include "maia/connectors/duckdb/config.h"
#include "maia/connectors/duckdb/handle.h"

namespace maia::duckdb {

struct Bytes {
  std::string value;
};
/// A value for a `?` of a statement: NULL, a number, text, or a BLOB.
using Parameter = std::variant<std::monostate, std::uint64_t, std::string, Bytes>;
/// Rows of a small result whose columns are all VARCHAR or BLOB.
using TextRows = std::vector<std::vector<std::optional<std::string>>>;

/// One connection. Not thread-safe, but for interrupt().
class Connection {
 public:
  /// Runs statements without parameters.
  Status run(const std::string& sql, std::string_view doing);
  /// Runs one statement; how many rows it changed.
  Result<std::uint64_t> change(const std::string& sql, const std::vector<Parameter>& parameters,
                               std::string_view doing);
  Result<TextRows> rows(const std::string& sql, const std::vector<Parameter>& parameters,
                        std::string_view doing);
  /// An error of DuckDB in our words: `doing` is what we were at, such as "commit". Where small buffers are
  /// the cause (buffers.h) it asks for a reconnect, after which they are large.
  Error fail(duckdb_error_type type, const char* message, std::string_view doing);
  void interrupt() { duckdb_interrupt(raw()); }
  duckdb_connection raw() const { return handle_.get(); }

 private:
  friend class Database;
  Result<ResultHandle> execute(const std::string& sql, const std::vector<Parameter>& parameters,
                               std::string_view doing);
  ConnectionHandle handle_;
  Buffers* buffers_ = nullptr;  ///< those that are small yet
};

/// An open database file. All users of one file within the process share one instance; another process
/// cannot have it open at the same time.
class Database {
 public:
  /// Creates the file if it is not there.
  static Result<std::shared_ptr<Database>> open(const Config& config);
  /// Thread-safe. Sessions are in UTC.
  Result<Connection> connect();
  /// The name under which SQL knows the file, which comes from its file name.
  const std::string& catalog() const { return catalog_; }

 private:
  DatabaseHandle handle_;
  std::string catalog_;
  Buffers* buffers_ = nullptr;
  ByteSize memory_limit_;
};

}  // namespace maia::duckdb
