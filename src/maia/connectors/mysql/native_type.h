// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"

namespace maia::mysql {

/// A column's type as the catalogue spells it.
struct NativeType {
  std::string name;     ///< lower-case, without anything behind it: "int", "varchar", "double"
  std::string spelled;  ///< the whole: "int(10) unsigned"; for people and for DDL
  bool is_unsigned = false;
  bool has_length = false;
  std::uint32_t length = 0;         ///< characters, bytes, bits, digits, or digits of a second's fraction
  std::uint32_t scale = 0;          ///< decimal only
  std::vector<std::string> labels;  ///< enum and set: in their order
  std::string charset;              ///< of types that have one; "binary" is none
  std::string collation;
};

/// Reads COLUMN_TYPE of information_schema.columns ("decimal(10,2) unsigned", "enum('a','it''s')").
/// Code::unsupported, with the text, if it is not of that form.
Result<NativeType> parse_native_type(std::string_view column_type);

}  // namespace maia::mysql
