// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "maia/base/result.h"

namespace maia::testing {

/// What Protocol Buffers' own library says of a schema in text; nothing where it is none.
struct ProtobufSchema {
  std::string text;  ///< written anew by the library
  /// Type and name of each field, by its message and number.
  std::map<std::pair<std::string, std::int32_t>, std::string> fields;
};
std::optional<ProtobufSchema> read_protobuf_schema(const std::string& text);

/// The bytes as JSON, read by the library as the first message of the schema. Code::corruption if they are
/// none, or hold a field that the schema has not.
Result<std::string> protobuf_as_json(const std::string& schema, std::string_view bytes);

}  // namespace maia::testing
