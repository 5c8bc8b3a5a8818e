// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "maia/base/bytes.h"
#include "maia/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace maia::state {

/// What went wrong at an SQLite file, with its recovery and a hint; `of` is what the file keeps.
Error sqlite_error(sqlite3* database, std::string_view of, std::string_view doing);

/// A prepared statement. What is bound must outlive the next step or reset. Used from one thread at a time.
class Statement {
 public:
  static Result<Statement> prepare(sqlite3* database, std::string_view of, const std::string& sql);

  void bind(int index, std::string_view text);
  void bind(int index, ByteView blob);
  void bind(int index, std::int64_t number);
  /// Whether there is a row. Code::storage or Code::corruption if the file refuses.
  Result<bool> step();
  /// Runs to the end and makes it ready to run again.
  Status run();

  std::string text(int column) const;
  Bytes blob(int column) const;
  std::int64_t number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* database_ = nullptr;
  std::string of_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace maia::state
