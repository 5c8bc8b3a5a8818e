// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::mysql {

/// The types of columns in the binary log.
enum class WireType : std::uint8_t {
  decimal_old = 0,
  tiny = 1,
  small = 2,
  integer = 3,
  float32 = 4,
  float64 = 5,
  null = 6,
  timestamp_old = 7,
  big = 8,
  medium = 9,
  date_old = 10,
  time_old = 11,
  datetime_old = 12,
  year = 13,
  date = 14,
  varchar = 15,
  bit = 16,
  timestamp = 17,
  datetime = 18,
  time = 19,
  blob_compressed = 140,     ///< MariaDB
  varchar_compressed = 141,  ///< MariaDB
  vector = 242,
  json = 245,
  decimal = 246,
  enumeration = 247,
  set = 248,
  blob = 252,
  string = 254,
  geometry = 255,
};

/// A column as the log has it. What the log need not say is absent: it depends on binlog_row_metadata.
struct WireColumn {
  WireType type = WireType::null;
  std::uint16_t meta = 0;  ///< depends on the type: length, digits, bytes of a length
  bool nullable = false;
  std::optional<bool> is_unsigned;
  std::optional<std::uint32_t> collation;  ///< of text, enum and set
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> labels;  ///< enum and set, in the column's character set
  std::optional<std::uint32_t> geometry;           ///< the kind of shape
  std::optional<bool> visible;
  friend bool operator==(const WireColumn&, const WireColumn&) = default;
};

/// Which table the rows with this number are of, and how its rows look.
struct TableMap {
  std::uint64_t id = 0;
  TableName name;
  std::vector<WireColumn> columns;
  std::vector<std::size_t> key;  ///< columns of the primary key, in its order; only with full metadata
  friend bool operator==(const TableMap&, const TableMap&) = default;
};

/// Reads the content of a TABLE_MAP event. Code::corruption if it does not follow its format,
/// Code::unsupported, with the number, for a type that is not known.
Result<TableMap> parse_table_map(ByteView content);

bool is_number(WireType type);
/// Whether the log tells a collation for columns of this type.
bool has_collation(WireType type);

}  // namespace maia::mysql
