// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "maia/base/result.h"
#include "maia/connectors/mysql/connection.h"

namespace maia::mysql {

/// Sends rows in INSERT statements of many rows each:
///
///     RowInserts inserts(connection, "insert into t (a) values ");
///     MAIA_TRY(target.append_values(inserts.next_row(), ...)); MAIA_TRY(inserts.row_done()); ...
///     MAIA_TRY(inserts.finish());
class RowInserts {
 public:
  RowInserts(Connection& connection, std::string head)
      : connection_(connection), head_(std::move(head)), sql_(head_) {}

  /// Where the next row is appended, in brackets.
  std::string& next_row() {
    if (sql_.size() > head_.size()) sql_ += ',';
    return sql_;
  }
  Status row_done() { return sql_.size() < kPiece ? Status() : finish(); }
  /// Sends what is left.
  Status finish() {
    if (sql_.size() == head_.size()) return {};
    MAIA_TRY(connection_.run(sql_));
    sql_.resize(head_.size());
    return {};
  }

 private:
  /// Thousands of rows, so that the round trip counts for little; far below every max_allowed_packet.
  static constexpr std::size_t kPiece = 256 << 10;

  Connection& connection_;
  const std::string head_;
  std::string sql_;
};

}  // namespace maia::mysql
