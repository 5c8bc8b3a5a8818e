// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace maia {

/// An SQLite file of the state directory: what a commit has returned for survives a power cut. Not
/// thread-safe. Errors name the file and what to do: Code::storage when the disk refuses or another process
/// has it, Code::corruption when it is damaged.
class Sqlite {
 public:
  /// Makes the file, readable by its owner only, if it is missing.
  static Result<Sqlite> open(const std::string& path);

  /// Statements without parameters and answers.
  Status execute(const char* sql);

  /// One statement with its parameters, counted from 1. Bound texts must outlive the last step.
  class Statement {
   public:
    Statement& bind(int index, std::string_view text);
    Statement& bind(int index, std::int64_t number);
    /// Whether there is a row to look at.
    Result<bool> step();
    std::string text(int column) const;
    std::int64_t number(int column) const;

   private:
    friend class Sqlite;
    struct Finalize {
      void operator()(sqlite3_stmt* statement) const;
    };
    Statement(sqlite3_stmt* statement, const Sqlite* file) : statement_(statement), file_(file) {}
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    const Sqlite* file_;
  };
  /// The statement may not outlive this, nor see it moved.
  Result<Statement> prepare(const char* sql);

  /// A transaction that is undone unless `work` succeeds.
  template <class Work>
  Status atomically(Work work) {
    MAIA_TRY(execute("begin immediate"));
    auto done = work();
    if (done.ok()) done = execute("commit");
    if (!done.ok()) abandon();
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Sqlite(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}
  Error error() const;
  void abandon();

  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

}  // namespace maia
