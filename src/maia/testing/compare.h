// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/postgres_session.h"

namespace maia::testing {

/// An oracle that shares no code with MAIA's own types: it asks each system for the text of its values, in
/// forms that are equal for equal values, and compares tables row by row. Rows count as a multiset, so order
/// is nothing and duplicates are something.

struct ComparedColumn {
  std::string name;
  std::string type;  ///< the system's own name of it
};

/// One side of a comparison.
class ComparedSystem {
 public:
  enum class Kind { postgres, duckdb, mysql };
  virtual ~ComparedSystem() = default;
  virtual Kind kind() const = 0;
  /// In the table's order. An error if there is no such table.
  virtual Result<std::vector<ComparedColumn>> columns(const std::string& schema,
                                                      const std::string& table) = 0;
  /// The rows of a query, one at a time.
  virtual Status each_row(std::string_view sql, const std::function<void(Row&&)>& take) = 0;
};

Result<std::unique_ptr<ComparedSystem>> compared_postgres(const std::string& uri);
/// No other process may have the file.
Result<std::unique_ptr<ComparedSystem>> compared_duckdb(const std::string& path);
/// A mysql:// URI. A schema is a database there.
Result<std::unique_ptr<ComparedSystem>> compared_mysql(const std::string& uri);

struct ComparedTable {
  std::string schema;
  std::string name;
};

/// What to compare. Columns are matched by name; those of `left` must all be on the right.
struct CompareOptions {
  ComparedTable left;
  ComparedTable right;
  std::vector<std::string> except;           ///< columns to leave out
  bool allow_more_columns_on_right = false;  ///< such as those of `mode: append`
  std::size_t shown = 10;                    ///< differing rows of each side in the report
};

/// Count and checksum do not depend on the order of rows.
struct TableDigest {
  std::uint64_t rows = 0;
  std::uint64_t checksum = 0;
  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

struct Comparison {
  TableDigest left;
  TableDigest right;
  std::vector<std::string> columns;    ///< that were compared
  std::vector<std::string> only_left;  ///< rows in the form of COPY text, at most `shown`
  std::vector<std::string> only_right;
  std::uint64_t only_left_rows = 0;
  std::uint64_t only_right_rows = 0;

  bool equal() const { return left == right; }
  /// "equal: 120 rows", or the rows that differ under a line of column names, marked with - (left) and +
  /// (right).
  std::string report() const;
};

Result<Comparison> compare(ComparedSystem& left, ComparedSystem& right, const CompareOptions& options);

}  // namespace maia::testing
