// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// A Kafka source's position: what is taken must be written again as it was read, and be equal to itself.
#include <cstdint>
#include <string_view>

#include "maia/base/assert.h"
#include "maia/connectors/kafka/log_place.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  const Position position{std::string(reinterpret_cast<const char*>(bytes), size)};
  const auto place = kafka::LogPlace::parse(position);
  if (!place.ok()) return 0;
  MAIA_ASSERT(place->position() == position);
  MAIA_ASSERT(kafka::compare(*place, *place) == std::partial_ordering::equivalent);
  return 0;
}
