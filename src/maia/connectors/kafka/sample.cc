// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/sample.h"

#include <algorithm>
#include <set>

#include "maia/base/clock.h"
#include "maia/connectors/kafka/consumer.h"
#include "maia/connectors/kafka/log_tables.h"

namespace maia::kafka {
namespace {

/// Of each partition. Offsets that are no records (what ends a transaction) count too.
constexpr std::int64_t kRecords = 100;
constexpr std::chrono::seconds kPatience{10};

}  // namespace

Result<std::vector<SchemaRef>> sample_tables(const SourceConfig& config,
                                             const std::map<std::string, Cluster::Topic>& topics,
                                             const Cluster::Offsets& firsts, const Cluster::Offsets& ends,
                                             const RecordDecoder::AskSchema& ask) {
  auto consumer = MAIA_TRY(Consumer::open(config.connection));
  std::set<std::pair<std::string, std::int32_t>> open;
  for (const auto& [name, topic] : topics) {
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
      const auto first = firsts.at(name)[static_cast<std::size_t>(i)];
      const auto end = ends.at(name)[static_cast<std::size_t>(i)];
      if (first >= end) continue;
      MAIA_TRY(consumer.begin(name, i, std::max(first, end - kRecords)));
      open.emplace(name, i);
    }
  }
  LogTables tables(config, {});
  RecordDecoder decoder(ask);
  const auto until = system_clock().steady() + kPatience;
  while (!open.empty() && system_clock().steady() < until) {
    for (auto& item : MAIA_TRY(consumer.next(std::chrono::milliseconds(200), 1000))) {
      const auto& record = item.record;
      if (!item.is_end) {
        auto decoded = decoder.decode(record.key, record.value);
        if (!decoded.ok() && decoded.error().code != Error::Code::data) return std::move(decoded).error();
        sql::WindowBuilder window;
        std::uint64_t ordinal = 0;
        // The stream names what is wrong with a record.
        if (decoded.ok()) static_cast<void>(tables.add(record, *std::move(decoded), window, ordinal));
      }
      const auto end = ends.at(record.topic)[static_cast<std::size_t>(record.partition)];
      if (item.is_end || record.offset + 1 >= end) open.erase({record.topic, record.partition});
    }
  }
  return tables.schemas();
}

}  // namespace maia::kafka
