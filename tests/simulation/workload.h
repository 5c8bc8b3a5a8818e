// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "database.h"

namespace maia::simulation {

/// What the transactions of one run do; each run has some of it.
struct Habits {
  bool savepoints = false;
  bool key_updates = false;
  bool swaps = false;
  bool truncates = false;
  bool schema_changes = false;
  bool large = false;
  bool aborts = false;
};

/// One transaction of the workload, statement by statement. Whatever is locked by another it leaves alone.
class RunningTransaction {
 public:
  RunningTransaction(Database& database, const Habits& habits, std::uint64_t seed);

  /// Perhaps does one statement, as its pace is; the last one commits or rolls back. True when it is over.
  bool step();
  void finish();
  /// Creates a table, with some rows, and commits.
  void create_table();

 private:
  Table view(const std::string& table) const;
  Database::Tables tables() const;
  void record(Change change);
  void statement();
  void insert(const Table& table);
  void update(const Table& table);
  void remove(const Table& table);
  void swap(const Table& table);
  void change_schema(const Table& table);
  void roll_back_to_savepoint();
  Row random_row(const TableSchema& schema);
  Value random_value(const Column& column);
  bool lock(const Table& table, const Row& row);

  Database& database_;
  const Habits& habits_;
  Dice dice_;
  std::uint64_t id_;
  std::uint64_t pace_;
  std::uint64_t left_;
  std::vector<ChangeRef> changes_;
  std::vector<std::size_t> savepoints_;
};

}  // namespace maia::simulation
