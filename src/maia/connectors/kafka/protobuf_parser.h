// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/kafka/protobuf_message.h"

namespace maia::kafka {

/// What a schema of Protocol Buffers declares. Options, services and extensions are passed over.
struct ProtobufFile {
  bool proto3 = false;  ///< a field without a label is never absent
  std::string package;
  std::vector<ProtobufMessage> messages;
  std::vector<ProtobufEnum> enums;
};

/// Takes any bytes. Code::data for what is no schema, or has groups.
Result<ProtobufFile> parse_protobuf(std::string_view schema);

/// The message of this name, wherever it stands in the schema that a registry has as the last one of a
/// subject. Code::unsupported if it is not there or cannot be read.
Result<ProtobufMessage> parse_protobuf_message(std::string_view schema, std::string_view name);

}  // namespace maia::kafka
