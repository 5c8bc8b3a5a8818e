// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/result.h"

namespace maia::kafka {

/// The largest number that a field may have.
inline constexpr std::int32_t kLargestNumber = (1 << 29) - 1;

/// A field as a message declares it.
struct ProtobufField {
  std::string name;
  std::string type;         ///< with its label, as "optional int64"
  std::string json_name;    ///< for readers that make JSON of it; not read from a schema
  std::int32_t number = 0;  ///< 0: none yet
  bool in_choice = false;   ///< of the members of a `oneof`, one at most is there
};

struct ProtobufEnum {
  std::string name;
  std::map<std::int32_t, std::string> symbols;
};

/// A message, and the numbers that it must never use again.
struct ProtobufMessage {
  std::vector<ProtobufField> fields = {};
  std::vector<std::pair<std::int32_t, std::int32_t>> gone = {};  ///< first and last of each range
  std::string name = {};
  std::vector<ProtobufMessage> messages = {};  ///< that are declared within
  std::vector<ProtobufEnum> enums = {};
};

/// Gives fields their numbers: a field of the same name and type as in the last version keeps its own, any
/// other gets one that none has ever had. What the last version had and this one has not is gone.
Status number_fields(ProtobufMessage& message, const ProtobufMessage& last);

/// `message name { ... }` with `more` declarations within.
std::string protobuf_text(std::string_view name, const ProtobufMessage& message, std::string_view more = {});

}  // namespace maia::kafka
