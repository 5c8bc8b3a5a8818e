// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/record_decoder.h"

#include <fmt/format.h>

#include "maia/connectors/kafka/avro_reader.h"
#include "maia/connectors/kafka/json_reader.h"
#include "maia/connectors/kafka/protobuf_reader.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMarkSize = 5;

/// Whether the bytes begin as those do that a schema registry knows. No JSON text begins with a zero.
bool has_mark(std::string_view bytes) { return !bytes.empty() && bytes[0] == '\0'; }

}  // namespace

std::string SourceRecord::where() const { return fmt::format("{}[{}] at {}", topic, partition, offset); }

Result<RecordDecoder::Reader> RecordDecoder::reader_of(const RegisteredSchema& schema) {
  switch (schema.kind) {
    case SchemaKind::json: return Reader(read_json);
    case SchemaKind::avro: {
      auto reader = MAIA_TRY(AvroReader::parse(schema.text, schema.imports));
      return Reader([reader](std::string_view bytes) { return reader->read(bytes); });
    }
    case SchemaKind::protobuf: {
      auto reader = MAIA_TRY(ProtobufReader::parse(schema.text, schema.imports));
      return Reader([reader](std::string_view bytes) { return reader->read(bytes); });
    }
  }
  return Reader(read_json);
}

Result<Datum> RecordDecoder::decode_marked(std::string_view bytes) {
  if (bytes.size() < kMarkSize)
    return Error{Error::Code::data, Recovery::halt, "it begins with a zero, but no schema's number follows"};
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < kMarkSize; ++i) id = id << 8 | static_cast<std::uint8_t>(bytes[i]);
  const auto number = static_cast<std::int32_t>(id);
  auto known = readers_.find(number);
  if (known == readers_.end()) {
    const auto schema = MAIA_TRY(ask_(number));
    auto reader = MAIA_TRY(in(fmt::format("schema {}", number), reader_of(schema)));
    known = readers_.emplace(number, std::move(reader)).first;
  }
  return known->second(bytes.substr(kMarkSize));
}

/// A key that is no JSON is a text.
Result<Datum> RecordDecoder::decode_key(std::string_view bytes) {
  if (has_mark(bytes)) return decode_marked(bytes);
  auto json = read_json(bytes);
  return json.ok() ? std::move(json) : Result<Datum>(Datum::of(std::string(bytes)));
}

Result<DecodedRecord> RecordDecoder::decode(const std::optional<std::string>& key,
                                            const std::optional<std::string>& value) {
  DecodedRecord out;
  if (key) out.key = MAIA_TRY(in("the key", decode_key(*key)));
  if (!value) return out;
  auto datum = MAIA_TRY(in("the value", has_mark(*value) ? decode_marked(*value) : read_json(*value)));
  // A tombstone, as Kafka Connect's converters write it if they are told to.
  if (datum.is(Datum::Kind::null)) return out;
  out.change = MAIA_TRY(read_row_change(std::move(datum)));
  return out;
}

}  // namespace maia::kafka
