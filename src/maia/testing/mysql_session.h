// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/testing/postgres_session.h"

struct st_mysql;

namespace maia::testing {

/// One plain libmariadb connection, for what a test does beside MAIA; the same as PostgresSession. Statements
/// commit by themselves unless the test begins a transaction. From one thread at a time.
class MysqlSession {
 public:
  /// A mysql:// URI; its host may be the path of a Unix socket ("%2Ftmp%2F...").
  static Result<MysqlSession> open(const std::string& uri);

  /// One or several statements.
  Status execute(std::string_view sql);
  /// The rows of the last statement.
  Result<Rows> query(std::string_view sql);
  /// The first value of the first row; an error if there is no row. NULL gives "".
  Result<std::string> value(std::string_view sql);

  st_mysql* raw() { return connection_.get(); }

 private:
  struct Finish {
    void operator()(st_mysql* connection) const;
  };
  explicit MysqlSession(st_mysql* connection) : connection_(connection) {}

  std::unique_ptr<st_mysql, Finish> connection_;
};

}  // namespace maia::testing
