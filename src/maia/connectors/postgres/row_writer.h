// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/expected_rows.h"
#include "maia/connectors/postgres/prepared_statements.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/connectors/postgres/write_target.h"
#include "maia/sql/row_index.h"

namespace maia::postgres {

/// The batches of one target within one write, in order.
struct TargetDeliveries {
  WriteTarget* target = nullptr;
  std::vector<const Delivery*> deliveries;
};

/// A text that the server does not store.
Error zero_byte(const WriteTarget& target, std::size_t column);

/// Applies changes one by one in the order of their ordinals over all tables, by prepared statements that are
/// sent without waiting for answers. What the source's own constraints allowed in this order, the same
/// constraints at the destination allow as well.
class RowWriter {
 public:
  RowWriter(Connection& connection, PreparedStatements& statements)
      : pipeline_(connection), statements_(statements) {}

  /// Runs inside of a transaction; sets the savepoint `savepoint` first and releases it at the end.
  Status write(std::span<const TargetDeliveries> groups, const std::string& savepoint);

 private:
  using Columns = std::vector<std::size_t>;
  Status queue(std::span<const TargetDeliveries> groups);
  Status queue_row(WriteTarget& target, const Delivery& delivery, std::uint32_t row);
  Status update(WriteTarget& target, const sql::RowRef& now, bool converging);
  Status move(WriteTarget& target, const sql::RowRef& old, const sql::RowRef& now, bool converging);
  Status whole_row(WriteTarget& target, Statement kind, const sql::RowRef& row);

  void begin_values() {
    texts_.clear();
    ends_.clear();
  }
  Status push(const WriteTarget& target, const sql::RowRef& row, std::span<const std::size_t> columns);
  Status execute(WriteTarget& target, Statement kind, std::span<const std::size_t> columns, bool must_exist,
                 const char* what);

  StatementPipeline pipeline_;
  PreparedStatements& statements_;
  ExpectedRows expected_;
  Columns present_;
  Columns changes_;
  std::string texts_;  ///< the values of the statement at hand, each with a zero byte at its end
  std::vector<std::size_t> ends_;
  std::vector<const char*> values_;
};

}  // namespace maia::postgres
