// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/result.h"

namespace maia::mysql {

/// A JSON document of MySQL, whose scalars are kept as the server prints them.
struct JsonNode {
  enum class Kind : std::uint8_t { scalar, array, object };
  Kind kind = Kind::scalar;
  std::string text;               ///< of a scalar, quotes included
  std::vector<std::string> keys;  ///< of an object, unquoted
  std::vector<JsonNode> children;
};

/// Reads MySQL's binary JSON. Code::corruption if it does not follow its format.
Result<JsonNode> parse_json(ByteView binary);
/// The text that the server prints: {"a": 1, "b": [true, null]}.
void append_json(std::string& out, const JsonNode& node);

/// Applies the differences that PARTIAL_UPDATE_ROWS has of a value. Code::corruption if they are malformed or
/// do not fit the document.
Status apply_json_differences(JsonNode& document, ByteView differences);

/// As a JSON string with quotes.
std::string json_quoted(std::string_view text);
/// As MySQL prints a double in JSON: the shortest that reads back the same, with ".0" where it looks whole.
std::string json_number(double value);

}  // namespace maia::mysql
