// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "maia/base/result.h"
#include "maia/transforms/handle.h"
#include "maia/types/type.h"

namespace maia::transforms {

/// Gives the rows of a relation that expressions read. Implementations are used from the thread that runs the
/// statement.
class Feed {
 public:
  struct Column {
    std::string name;
    Type type;
  };
  virtual ~Feed() = default;
  virtual const std::vector<Column>& columns() const = 0;
  /// Called at the start of each run.
  virtual void rewind() = 0;
  /// Fills the next rows, at most duckdb_vector_size(), and sets the chunk's size; 0 ends the run. The
  /// reason, if a row cannot be given.
  virtual std::optional<std::string> fill(duckdb_data_chunk chunk) = 0;
};

/// The embedded DuckDB that runs expressions: one in-memory database for the process, without access to
/// files, network, extensions, environment or settings, with the functions of the mapping language.
/// Thread-safe; connections belong to their caller.
class Sandbox {
 public:
  static Result<std::shared_ptr<Sandbox>> instance();
  /// What the next instance may use. Thread-safe.
  static void limit_memory(std::uint64_t bytes);
  ~Sandbox();
  Result<ConnectionHandle> connect();
  /// SQL for a relation that reads from `feed`: "maia_input(7)". The feed outlives its registration.
  std::string add(Feed* feed);
  void remove(Feed* feed);
  /// The names of DuckDB's aggregate functions.
  const std::set<std::string>& aggregates() const { return aggregates_; }

 private:
  Sandbox() = default;
  Status open();
  Feed* find(std::int64_t number);
  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void fill(duckdb_function_info info, duckdb_data_chunk chunk);
  Status register_input(duckdb_connection connection);

  DatabaseHandle database_;
  std::set<std::string> aggregates_;  // constant after open
  std::mutex mutex_;
  std::int64_t last_number_ = 0;                   // guarded by mutex_
  std::unordered_map<std::int64_t, Feed*> feeds_;  // guarded by mutex_
};

/// DuckDB's own words for what went wrong, without the excerpt of the statement.
std::string first_line(const char* message);

}  // namespace maia::transforms
