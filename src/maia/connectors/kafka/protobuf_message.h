// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/result.h"

namespace maia::kafka {

/// A field as a message declares it.
struct ProtobufField {
  std::string name;
  std::string type;         ///< with its label, as "optional int64"
  std::string json_name;    ///< for readers that make JSON of it
  std::int32_t number = 0;  ///< 0: none yet
};

/// A message of scalar fields, and the numbers that it must never use again.
struct ProtobufMessage {
  std::vector<ProtobufField> fields;
  std::vector<std::pair<std::int32_t, std::int32_t>> gone;  ///< first and last of each range
};

/// The message of this name in the text of a schema, wherever it stands, as a registry may have put the text
/// in a form of its own. Names for JSON are not read. Code::unsupported if it is not there or cannot be read.
Result<ProtobufMessage> parse_protobuf_message(std::string_view schema, std::string_view name);

/// Gives fields their numbers: a field of the same name and type as in the last version keeps its own, any
/// other gets one that none has ever had. What the last version had and this one has not is gone.
Status number_fields(ProtobufMessage& message, const ProtobufMessage& last);

/// `message name { ... }` with `more` declarations within.
std::string protobuf_text(std::string_view name, const ProtobufMessage& message, std::string_view more = {});

}  // namespace maia::kafka
