// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// Avro as the Kafka source reads it: a schema up to the first line break, and a value that is written with
// it.
#include <cstdint>
#include <string_view>

#include "maia/connectors/kafka/avro_reader.h"
#include "maia/connectors/kafka/row_change.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia::kafka;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto line = text.find('\n');
  const auto reader = AvroReader::parse(text.substr(0, line));
  if (!reader.ok() || line == text.npos) return 0;
  auto datum = (*reader)->read(text.substr(line + 1));
  if (!datum.ok()) return 0;
  std::string json;
  append_json(json, *datum);
  static_cast<void>(read_row_change(*std::move(datum)));
  return 0;
}
