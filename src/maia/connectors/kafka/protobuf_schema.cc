// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_schema.h"

#include <fmt/format.h>

#include "maia/connectors/kafka/field_name.h"

namespace maia::kafka {
namespace {

/// Each may be absent: it is NULL, or the source did not send it.
std::string_view protobuf_type(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return "optional bool";
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::date: return "optional int32";
    case TypeId::int64:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return "optional int64";
    case TypeId::float32: return "optional float";
    case TypeId::float64: return "optional double";
    case TypeId::bytes: return "optional bytes";
    case TypeId::uuid:
    case TypeId::decimal:
    case TypeId::string:
    case TypeId::interval:
    case TypeId::json:
    case TypeId::array: return "optional string";
  }
  return "optional string";
}

void add_column(ProtobufMessage& message, const Column& column) {
  message.fields.push_back(
      {field_name(column.name), std::string(protobuf_type(column.type)), column.name, 0});
}

std::string head(const std::string& topic) {
  return fmt::format("syntax = \"proto3\";\npackage {};\n\n", name_space(topic));
}

/// The envelope around two rows; the message Value comes before its end.
constexpr const char* kEnvelope = R"(message Envelope {
  Value before = 1;
  Value after = 2;
  Source source = 3;
  string op = 4;
  int64 ts_ms = 5 [json_name = "ts_ms"];
  Transaction transaction = 6;
  Maia maia = 7;
message Source {
  string version = 1;
  string connector = 2;
  string name = 3;
  int64 ts_ms = 4 [json_name = "ts_ms"];
  int64 ts_us = 5 [json_name = "ts_us"];
  bool snapshot = 6;
  string schema = 7;
  string table = 8;
  optional string txId = 9;
  optional string position = 10;
}
message Transaction {
  string id = 1;
  int64 total_order = 2 [json_name = "total_order"];
}
message Maia {
  optional string operation = 1;
  repeated string unchanged = 2;
}
)";

}  // namespace

ProtobufMessage protobuf_key(const TableSchema& schema, const std::vector<std::size_t>& key) {
  ProtobufMessage message;
  for (const auto i : key) add_column(message, schema.columns[i]);
  return message;
}

ProtobufMessage protobuf_row(const TableSchema& schema, Format format) {
  ProtobufMessage message;
  if (format == Format::flat) {
    message.fields = {{"__op", "string", "__op", 0},
                      {"__table", "string", "__table", 0},
                      {"__deleted", "bool", "__deleted", 0},
                      {"__source_ts_ms", "int64", "__source_ts_ms", 0},
                      {"__operation", "optional string", "__operation", 0},
                      {"__unchanged", "repeated string", "__unchanged", 0}};
  }
  for (const auto& column : schema.columns) add_column(message, column);
  return message;
}

std::string protobuf_key_schema(const std::string& topic, const ProtobufMessage& key) {
  return head(topic) + protobuf_text("Key", key);
}

std::string protobuf_value_schema(const std::string& topic, const ProtobufMessage& row, Format format) {
  const auto value = protobuf_text("Value", row);
  return head(topic) + (format == Format::flat ? value : kEnvelope + value + "}\n");
}

}  // namespace maia::kafka
