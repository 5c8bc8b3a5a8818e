// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"

struct pg_conn;

namespace maia::testing {

/// Rows of a PostgreSQL query as the server's own text; NULL is nullopt.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

/// One plain libpq connection, for what a test does beside MAIA. From one thread at a time.
class PostgresSession {
 public:
  static Result<PostgresSession> open(const std::string& uri);

  /// One or several statements; several run in one transaction, as the simple protocol has it.
  Status execute(std::string_view sql);
  /// The rows of the last statement.
  Result<Rows> query(std::string_view sql);
  /// The first value of the first row; an error if there is no row. NULL gives "".
  Result<std::string> value(std::string_view sql);

  pg_conn* raw() { return connection_.get(); }

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit PostgresSession(pg_conn* connection) : connection_(connection) {}

  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace maia::testing
