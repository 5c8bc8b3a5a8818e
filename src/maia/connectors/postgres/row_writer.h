// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/connectors/postgres/write_target.h"
#include "maia/sql/row_index.h"

namespace maia::postgres {

/// The batches of one target within one write, in order.
struct TargetDeliveries {
  WriteTarget* target = nullptr;
  std::vector<const Delivery*> deliveries;
};

/// A change that needs rows which are not there: source and destination have parted.
Error missing_rows(const TableTarget& target, const char* what, std::size_t count);

/// Applies changes one by one in the order of their ordinals over all tables, by prepared statements that are
/// sent without waiting for answers. What the source's own constraints allowed in this order, the same
/// constraints at the destination allow as well.
class RowWriter {
 public:
  explicit RowWriter(Connection& connection) : connection_(connection), pipeline_(connection) {}

  /// Runs inside of a transaction; sets the savepoint `savepoint` first and releases it at the end.
  Status write(std::span<const TargetDeliveries> groups, const std::string& savepoint);
  /// Forgets the statements of a target whose table has changed.
  void forget(const WriteTarget& target);

 private:
  using Columns = std::vector<std::size_t>;
  struct Expected {
    const WriteTarget* target = nullptr;
    bool must_exist = false;
    const char* what = "";
  };
  Status queue(std::span<const TargetDeliveries> groups);
  Status queue_row(WriteTarget& target, const Delivery& delivery, std::uint32_t row);
  Status update(WriteTarget& target, const sql::RowRef& now, bool converging);
  Status move(WriteTarget& target, const sql::RowRef& old, const sql::RowRef& now, bool converging);
  Status whole_row(WriteTarget& target, RowStatement kind, const sql::RowRef& row);
  /// Fills `present_`; true if nothing that is written is missing.
  bool find_present(const WriteTarget& target, const sql::RowRef& row);

  void begin_values() {
    texts_.clear();
    ends_.clear();
  }
  Status push(const WriteTarget& target, const sql::RowRef& row, std::span<const std::size_t> columns);
  Status execute(WriteTarget& target, RowStatement kind, std::span<const std::size_t> columns,
                 bool must_exist, const char* what);
  Status check_outcomes() const;

  Connection& connection_;
  StatementPipeline pipeline_;
  struct Statement {
    const WriteTarget* target;
    RowStatement kind;
    Columns columns;
    auto operator<=>(const Statement&) const = default;
  };
  std::map<Statement, std::string> names_;
  std::vector<Statement> unconfirmed_;  ///< prepared in the running pipeline
  std::size_t statements_made_ = 0;
  std::vector<Expected> expected_;  ///< by tag - 1
  Columns present_;
  Columns changes_;
  std::string texts_;  ///< the values of the statement at hand, each with a zero byte at its end
  std::vector<std::size_t> ends_;
  std::vector<bool> nulls_;
  std::vector<const char*> values_;
};

}  // namespace maia::postgres
