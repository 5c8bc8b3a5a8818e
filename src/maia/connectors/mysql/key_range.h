// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::mysql {

/// The values of a table's key in one row, as the server's text of them.
using KeyValues = std::vector<std::string>;

/// Rows of a table from one key, exclusive, up to another, inclusive; open where an end is absent. What a
/// chunk's token says.
struct KeyRange {
  std::optional<KeyValues> above;
  std::optional<KeyValues> up_to;

  std::string token() const;
  /// Code::corruption if it is none of ours. Takes any bytes.
  static Result<KeyRange> parse(std::string_view token);
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

/// What a plan's token says: the boundaries of its chunks, the first of which has the number `first`, and the
/// key that they are of.
struct KeyPlan {
  std::string key;  ///< key_signature of the table when it was planned
  std::uint32_t first = 0;
  std::vector<KeyValues> boundaries;  ///< n for n + 1 chunks

  std::uint32_t chunks() const { return static_cast<std::uint32_t>(boundaries.size() + 1); }
  KeyRange range(std::size_t chunk) const;
  std::string token() const;
  static Result<KeyPlan> parse(std::string_view token);
  friend bool operator==(const KeyPlan&, const KeyPlan&) = default;
};

/// Names and types of the key's columns; boundaries mean nothing for another key.
std::string key_signature(const TableSchema& table);
/// Whether a table can be cut by its key: it has one, whose columns are compared as they are sorted.
bool can_be_cut(const TableSchema& table);
/// A condition for WHERE; "TRUE" for all rows. Code::corruption if the values do not fit the key.
Result<std::string> condition(const TableSchema& table, const KeyRange& range);

}  // namespace maia::mysql
