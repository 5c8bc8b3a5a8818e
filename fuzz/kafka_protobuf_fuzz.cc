// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// Protocol Buffers as the Kafka source reads them: a schema up to the first zero, and a message that is
// written with it.
#include <cstdint>
#include <string_view>

#include "maia/connectors/kafka/protobuf_reader.h"
#include "maia/connectors/kafka/row_change.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia::kafka;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto zero = text.find('\0');
  const auto reader = ProtobufReader::parse(text.substr(0, zero), {});
  if (!reader.ok() || zero == text.npos) return 0;
  auto datum = (*reader)->read(text.substr(zero + 1));
  if (!datum.ok()) return 0;
  std::string json;
  append_json(json, *datum);
  static_cast<void>(read_row_change(*std::move(datum)));
  return 0;
}
