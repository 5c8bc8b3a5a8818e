// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "maia/connectors/postgres/row_writer.h"

namespace maia::postgres {

// What decides how changes are written.

/// Sorts tables that others refer to before those that refer to them; where they refer to each other in a
/// circle, the order is as it was.
void parents_first(std::vector<TargetDeliveries>& groups);

/// Whether all changes are rows that cannot be there yet.
bool only_new_rows(const TargetDeliveries& group);

/// Whether all changes are inserts of the stream, which the source has checked: rows that are not there yet,
/// unless the destination keeps rows that the source has not.
bool likely_new_rows(const TargetDeliveries& group);

/// Measured (bench/postgres_write_bench): below the first many rows a write is fastest row by row, from the
/// second on by a staging table, between them by arrays.
inline constexpr std::size_t kFewRows = 20;
inline constexpr std::size_t kManyRows = 3'000;
/// From here on inserts into a table are fastest by COPY right into it.
inline constexpr std::size_t kCopiedRows = 200;
std::size_t count_rows(std::span<const TargetDeliveries> groups);

bool any_key_change(std::span<const TargetDeliveries> groups);

inline constexpr std::string_view kUniqueViolation = "23505";
/// Whether an SQLSTATE is of a constraint that a different order of the same changes may satisfy.
bool stopped_by_order(std::string_view sqlstate);

}  // namespace maia::postgres
