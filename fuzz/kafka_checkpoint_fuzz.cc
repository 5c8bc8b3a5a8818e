// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// What the Kafka destination finds in its checkpoint's topic: the key of a record up to the first zero, and
// its value. What is taken must be written again as it was read.
#include <cstdint>
#include <string_view>

#include "maia/base/assert.h"
#include "maia/connectors/kafka/checkpoint_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  using namespace maia::kafka;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto zero = text.find('\0');
  const auto key = text.substr(0, zero);
  std::optional<std::string_view> value;
  if (zero != text.npos) value = text.substr(zero + 1);
  CheckpointReader reader;
  if (!reader.apply(key, value).ok()) return 0;
  const auto saved = std::move(reader).take();
  if (!saved) return 0;
  const auto again = checkpoint_records(*saved, {.sequence = saved->checkpoint.sequence,
                                                 .position = saved->checkpoint.position,
                                                 .facts = {},
                                                 .seal = saved->checkpoint.seal});
  MAIA_ASSERT(again.size() == 1 && again[0].key == key && *again[0].value == *value);
  return 0;
}
