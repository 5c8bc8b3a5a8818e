// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/testing/postgres_session.h"

struct _duckdb_connection;
struct _duckdb_database;

namespace maia::testing {

/// A DuckDB file, opened by a test beside MAIA, through DuckDB's C API. DuckDB lets one process have a file,
/// so this works only while no `maia` has it. From one thread at a time.
class DuckdbSession {
 public:
  enum class Access { read_only, read_write };
  static Result<DuckdbSession> open(const std::string& path, Access access = Access::read_only);

  Status execute(std::string_view sql);
  /// Rows of one SELECT as DuckDB's own text.
  Result<Rows> query(std::string_view sql);
  /// The same, row by row, never all of them in memory.
  Status each_row(std::string_view sql, const std::function<void(Row&&)>& take);

 private:
  struct Close {
    void operator()(_duckdb_database* database) const;
    void operator()(_duckdb_connection* connection) const;
  };
  DuckdbSession(std::unique_ptr<_duckdb_database, Close> database,
                std::unique_ptr<_duckdb_connection, Close> connection)
      : database_(std::move(database)), connection_(std::move(connection)) {}

  std::unique_ptr<_duckdb_database, Close> database_;
  std::unique_ptr<_duckdb_connection, Close> connection_;
};

}  // namespace maia::testing
