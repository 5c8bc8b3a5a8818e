// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "maia/base/result.h"
#include "maia/transforms/handle.h"
#include "maia/types/column_vector.h"

namespace maia::transforms {

/// How canonical values look to expressions. Exact both ways, but for what DuckDB's types cannot hold:
///
/// | canonical | DuckDB |
/// | --- | --- |
/// | boolean, int*, float*, date, time, timestamp, timestamp_tz, interval, uuid | the same type |
/// | decimal, up to 38 digits | DECIMAL; NaN and the infinities fail the row |
/// | decimal without bounds | VARCHAR, canonical text |
/// | string, whatever its form | VARCHAR; bytes that are no UTF-8 fail the row |
/// | bytes | BLOB |
/// | json | JSON |
/// | array | VARCHAR, the array literal |
LogicalTypeHandle logical_type(const Type& type);

/// The canonical type of an expression, or the SQL type that it is to be cast to first.
struct ResultType {
  Type type;
  std::string cast;  ///< "" if none is needed; "to_json" for nested values, which become JSON
};
/// Code::invalid_config for a type that no column can have, such as a union.
Result<ResultType> result_type(duckdb_logical_type type);

/// Puts one value, or NULL, into a vector of logical_type(type). The reason, if DuckDB cannot hold the value.
std::optional<std::string> put_value(duckdb_vector vector, idx_t at, const Type& type,
                                     const ColumnVector& column, std::size_t row);
void put_null(duckdb_vector vector, idx_t at);

/// Appends the first `rows` values of a vector whose result_type() is `type` without a cast.
void take_values(duckdb_vector vector, idx_t rows, const Type& type, ColumnVector& out);

}  // namespace maia::transforms
