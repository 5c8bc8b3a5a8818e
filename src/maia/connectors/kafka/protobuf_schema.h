// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/connectors/kafka/destination_config.h"
#include "maia/connectors/kafka/protobuf_message.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// The messages that hold a table's key, and its row. In the flat form the row's has the operation in it,
/// before the columns. Their fields have no numbers yet.
ProtobufMessage protobuf_key(const TableSchema& schema, const std::vector<std::size_t>& key);
ProtobufMessage protobuf_row(const TableSchema& schema, Format format);

/// Schemas with the messages, as text in proto3 (docs/reference/change-envelope.md). The message of a record
/// is the first one.
std::string protobuf_key_schema(const std::string& topic, const ProtobufMessage& key);
std::string protobuf_value_schema(const std::string& topic, const ProtobufMessage& row, Format format);

}  // namespace maia::kafka
