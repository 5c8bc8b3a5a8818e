// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/expected_rows.h"
#include "maia/connectors/postgres/prepared_statements.h"
#include "maia/connectors/postgres/row_writer.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/sql/net_changes.h"

namespace maia::postgres {

/// Applies what changes come to by a prepared statement per table and kind of change, whose rows are arrays
/// that the server unnests. All of it is one round trip, which makes it the fastest way between a few rows
/// and some thousands. Removes go through the tables from children to parents, everything else from parents
/// to children.
class ArrayWriter {
 public:
  ArrayWriter(Connection& connection, PreparedStatements& statements)
      : pipeline_(connection), statements_(statements) {}

  /// `groups` from parents to children. Runs inside of a transaction; sets the savepoint first and releases
  /// it at the end. False, with nothing done, if the changes need more than this way has: rows whose key
  /// changes while some of their values are not known.
  Result<bool> write(std::span<const TargetDeliveries> groups, const std::string& savepoint);

 private:
  struct Queued {
    const WriteTarget* target = nullptr;
    Statement statement = Statement::insert_many;
    std::vector<std::size_t> columns;
    std::size_t first_array = 0;
    std::size_t rows = 0;
    bool must_exist = false;
    const char* what = "";
  };
  Result<bool> collect(const TargetDeliveries& group);
  Result<bool> collect_by_key(const TargetDeliveries& group, bool converging);
  Status collect_as_multiset(const TargetDeliveries& group);
  /// One array per column, then the statement in `list`.
  Status add(std::vector<Queued>& list, Queued queued, std::span<const std::size_t> given,
             std::span<const sql::RowRef> rows);
  Status send(const std::string& savepoint);
  Status send(const Queued& queued);

  StatementPipeline pipeline_;
  PreparedStatements& statements_;
  sql::NetChanges net_;
  sql::NetMultiset multiset_;
  ExpectedRows expected_;
  std::vector<Queued> removes_;  ///< from parents to children, sent from the end
  std::vector<Queued> rows_;
  std::vector<std::string> arrays_;  ///< literals; kept for their memory
  std::size_t arrays_used_ = 0;
  std::string text_;
  std::vector<const char*> values_;
};

}  // namespace maia::postgres
