// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maia/base/result.h"
#include "maia/connectors/duckdb/type_map.h"
#include "maia/types/column_vector.h"

namespace maia::duckdb {

/// Writes the values of one column into vectors of data chunks. Not thread-safe.
class ColumnEncoder {
 public:
  ColumnEncoder(const Type& type, const Config& config);

  /// Fills rows 0 to `count` of the vector with the values from `first` on. Code::data when one of them does
  /// not fit; the message says why, not where.
  Status fill(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count);

 private:
  Status fill_same(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count);
  Status fill_decimal(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count);
  template <class T>
  Status fill_integers(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                       std::size_t count);
  Status fill_text(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count);
  Status fill_list(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count);

  Type type_;
  StoredType stored_;
  SpecialNumerics special_numerics_;
  std::unique_ptr<ColumnEncoder> element_;  ///< lists only
  ColumnVector elements_;                   ///< of the lists at hand, kept for its memory
};

}  // namespace maia::duckdb
