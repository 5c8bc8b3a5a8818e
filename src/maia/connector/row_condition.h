// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"

namespace maia {

/// Which rows of a table somebody means: comparisons of columns with literals, all of which hold. It is data,
/// never SQL: each connector puts it into its own words, with its own quoting. The literals are texts; the
/// system that evaluates them reads them as values of the column's type.
struct RowCondition {
  enum class Compare : std::uint8_t { equal, less, at_most, greater, at_least, one_of };
  struct Comparison {
    std::string column;
    Compare how = Compare::equal;
    std::vector<std::string> literals;  ///< one; one_of: one or more
    friend bool operator==(const Comparison&, const Comparison&) = default;
  };
  std::vector<Comparison> all;  ///< empty: every row
  friend bool operator==(const RowCondition&, const RowCondition&) = default;
};

/// How a comparison is written: "=", "<", "in" and so on.
std::string_view sign(RowCondition::Compare how);

/// Reads `id >= 10 and id < 20`, `code in ('a', 'it''s')`, `"Odd Name" = 1`; nothing else. An empty text is
/// every row. Code::invalid_config with what was expected.
Result<RowCondition> parse_row_condition(std::string_view text);

}  // namespace maia
