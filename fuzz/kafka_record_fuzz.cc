// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka
// What the Kafka source finds in topics: the key of a record up to the first zero, and its value. Whatever it
// says, the window has whole rows of the shape that was told before them.
#include <cstdint>
#include <string>

#include "maia/base/assert.h"
#include "maia/connectors/kafka/log_tables.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  using namespace maia::kafka;
  static const auto config = [] {
    SourceConfig made;
    made.declare["declared"] = {.key = {"id"}, .columns = {{"n", "decimal(10,2)"}, {"t", "timestamp_tz"}}};
    return made;
  }();
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto zero = text.find('\0');
  SourceRecord record;
  record.key = text.substr(0, zero);
  if (zero != text.npos) record.value = text.substr(zero + 1);
  RecordDecoder decoder([](std::int32_t) -> Result<RegisteredSchema> {
    return Error{Error::Code::data, Recovery::halt, "no registry", ""};
  });
  for (const auto* topic : {"orders", "declared"}) {
    LogTables tables(config, {});
    sql::WindowBuilder window;
    std::uint64_t ordinal = 0;
    record.topic = topic;
    for (int twice = 0; twice < 2; ++twice) {
      auto decoded = decoder.decode(record.key, record.value);
      if (!decoded.ok()) return 0;
      static_cast<void>(tables.add(record, *std::move(decoded), window, ordinal));
    }
    for (const auto& item : window.take()) {
      const auto* batch = std::get_if<Batch>(&item);
      if (!batch) continue;
      for (std::size_t i = 0; i < batch->columns(); ++i) MAIA_ASSERT(batch->after(i).size() == batch->rows());
    }
  }
  return 0;
}
