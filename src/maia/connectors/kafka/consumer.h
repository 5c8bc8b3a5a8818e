// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/connectors/kafka/client.h"
#include "maia/connectors/kafka/record_decoder.h"

namespace maia::kafka {

/// Reads committed records of partitions that it is told, from offsets that it is told. Belongs to no
/// consumer group. Used from one thread.
class Consumer {
 public:
  static Result<Consumer> open(const ConnectionConfig& config);
  Consumer(Consumer&&) = default;
  ~Consumer();

  rd_kafka_t* client() const { return client_.get(); }
  Status begin(const std::string& topic, std::int32_t partition, std::int64_t offset);
  /// Nothing more comes of the partition but what next() has returned.
  void end(const std::string& topic, std::int32_t partition);

  /// A record, or the end of a partition: everything that is committed up to `record.offset` was read.
  struct Item {
    SourceRecord record;
    bool is_end = false;
  };
  /// What has come, up to `most` items; waits for the first of them.
  Result<std::vector<Item>> next(std::chrono::milliseconds wait, std::size_t most);

 private:
  Consumer() = default;
  Result<std::optional<Item>> one(int wait_ms);

  Handle<rd_kafka_t> client_;
  Handle<rd_kafka_queue_t> queue_;
  std::map<std::string, Handle<rd_kafka_topic_t>> topics_;
  std::map<std::pair<std::string, std::int32_t>, bool> begun_;
};

}  // namespace maia::kafka
