// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/write_target.h"

namespace maia::mysql {

/// Whether the last statement failed because a row with the same unique value is there.
bool met_unique_value(const Connection& connection);

/// "something else has changed the destination"
Error missing_rows(const WriteTarget& target, std::string_view what, std::uint64_t rows);

/// Applies changes one by one in the order of their ordinals over all tables. What the source's own
/// constraints allowed in this order, the same constraints at the destination allow as well.
class RowWriter {
 public:
  explicit RowWriter(Connection& connection) : connection_(connection) {}
  Status write(std::span<const TargetDeliveries> groups);

 private:
  Status apply(const WriteTarget& target, const Delivery& delivery, std::uint32_t row);
  Status update(const WriteTarget& target, const sql::RowRef& now, bool converging);
  Status move(const WriteTarget& target, const sql::RowRef& old, const sql::RowRef& now, bool converging);
  Status put(const WriteTarget& target, const sql::RowRef& row);
  Status insert(const WriteTarget& target, const sql::RowRef& row);
  /// Rows that the statement found.
  Result<std::uint64_t> run(Result<std::string> sql);

  Connection& connection_;
  std::vector<std::size_t> present_;
};

}  // namespace maia::mysql
