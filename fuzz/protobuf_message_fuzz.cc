// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// A registry's text of any bytes is read as a message or refused; what is read, written again and read again
// is the same, and a field that comes to it gets a number that none has had.
#include <cstdlib>
#include <string_view>

#include "maia/connectors/kafka/protobuf_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace maia::kafka;
  const auto last = parse_protobuf_message({reinterpret_cast<const char*>(bytes), size}, "Value");
  if (!last.ok()) return 0;
  ProtobufMessage next;
  next.fields = {{"fresh", "optional fresh", "fresh", 0}};
  for (const auto& field : last->fields) {
    if (field.name == "fresh") return 0;
  }
  if (!number_fields(next, *last).ok()) return 0;
  const auto number = next.fields[0].number;
  for (const auto& field : last->fields) {
    if (field.number == number) std::abort();
  }
  for (const auto& [first, end] : next.gone) {
    if (number >= first && number <= end) std::abort();
  }
  const auto again = parse_protobuf_message(protobuf_text("Value", next), "Value");
  if (!again.ok() || again->gone != next.gone || again->fields[0].number != number) std::abort();
  return 0;
}
