// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/avro_schema.h"

#include <fmt/format.h>

#include "maia/base/json_text.h"
#include "maia/connectors/kafka/field_name.h"

namespace maia::kafka {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string_view avro_type(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return R"("boolean")";
    case TypeId::int16:
    case TypeId::int32: return R"("int")";
    case TypeId::int64: return R"("long")";
    case TypeId::float32: return R"("float")";
    case TypeId::float64: return R"("double")";
    case TypeId::bytes: return R"("bytes")";
    case TypeId::date: return R"({"type":"int","logicalType":"date"})";
    case TypeId::time: return R"({"type":"long","logicalType":"time-micros"})";
    case TypeId::timestamp: return R"({"type":"long","logicalType":"local-timestamp-micros"})";
    case TypeId::timestamp_tz: return R"({"type":"long","logicalType":"timestamp-micros"})";
    case TypeId::uuid: return R"({"type":"string","logicalType":"uuid"})";
    case TypeId::decimal:
    case TypeId::string:
    case TypeId::interval:
    case TypeId::json:
    case TypeId::array: return R"("string")";
  }
  return R"("string")";
}

std::string field(const Column& column) {
  const auto name = field_name(column.name);
  const auto doc = name == column.name ? "" : R"("doc":)" + quoted(column.name) + ",";
  return fmt::format(R"({{"name":"{}",{}"type":["null",{}],"default":null}})", name, doc,
                     avro_type(column.type));
}

std::string record(std::string_view name, const std::string& topic, const std::string& fields) {
  return fmt::format(R"({{"type":"record","name":"{}","namespace":"{}","fields":[{}]}})", name,
                     name_space(topic), fields);
}

constexpr std::string_view kFlatFields =
    R"({"name":"__op","type":"string"},{"name":"__table","type":"string"},)"
    R"({"name":"__deleted","type":"boolean"},{"name":"__source_ts_ms","type":"long"},)"
    R"({"name":"__operation","type":["null","string"]},)"
    R"({"name":"__unchanged","type":{"type":"array","items":"string"}})";

constexpr std::string_view kEnvelopeFields =
    R"({"name":"source","type":{"type":"record","name":"Source","fields":[)"
    R"({"name":"version","type":"string"},{"name":"connector","type":"string"},)"
    R"({"name":"name","type":"string"},{"name":"ts_ms","type":"long"},{"name":"ts_us","type":"long"},)"
    R"({"name":"snapshot","type":"boolean"},{"name":"schema","type":"string"},)"
    R"({"name":"table","type":"string"},{"name":"txId","type":["null","string"]},)"
    R"({"name":"position","type":["null","string"]}]}},)"
    R"({"name":"op","type":"string"},{"name":"ts_ms","type":"long"},)"
    R"({"name":"transaction","type":["null",{"type":"record","name":"Transaction","fields":[)"
    R"({"name":"id","type":"string"},{"name":"total_order","type":"long"}]}]},)"
    R"({"name":"maia","type":{"type":"record","name":"Maia","fields":[)"
    R"({"name":"operation","type":["null","string"]},)"
    R"({"name":"unchanged","type":{"type":"array","items":"string"}}]}})";

}  // namespace

std::string avro_key_schema(const std::string& topic, const TableSchema& schema,
                            const std::vector<std::size_t>& key) {
  std::string fields;
  for (const auto i : key) fields += (fields.empty() ? "" : ",") + field(schema.columns[i]);
  return record("Key", topic, fields);
}

std::string avro_value_schema(const std::string& topic, const TableSchema& schema, Format format) {
  std::string fields;
  for (const auto& column : schema.columns) fields += field(column) + ",";
  if (format == Format::flat) return record("Value", topic, fields + std::string(kFlatFields));
  if (!fields.empty()) fields.pop_back();
  return record("Envelope", topic,
                fmt::format(R"({{"name":"before","type":["null",{}],"default":null}},)"
                            R"({{"name":"after","type":["null","{}.Value"],"default":null}},{})",
                            record("Value", topic, fields), name_space(topic), kEnvelopeFields));
}

}  // namespace maia::kafka
