// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/consumer.h"

#include <fmt/format.h>

namespace maia::kafka {
namespace {

std::optional<std::string> bytes_of(const void* data, std::size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(data), size);
}

}  // namespace

Result<Consumer> Consumer::open(const ConnectionConfig& config) {
  Consumer out;
  out.client_ = MAIA_TRY(make_client(RD_KAFKA_CONSUMER, config,
                                     {{"isolation.level", "read_committed"},
                                      {"enable.partition.eof", "true"},
                                      {"auto.offset.reset", "error"},
                                      {"fetch.wait.max.ms", "100"},
                                      {"queued.max.messages.kbytes", "16384"}}));
  MAIA_TRY(metadata_of(out.client_.get(), config));  // for its errors
  out.queue_.reset(rd_kafka_queue_new(out.client_.get()));
  return out;
}

Consumer::~Consumer() {
  for (const auto& [place, begun] : begun_)
    rd_kafka_consume_stop(topics_.at(place.first).get(), place.second);
}

Status Consumer::begin(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  const auto what = fmt::format("read {}[{}]", topic, partition);
  auto& handle = topics_[topic];
  if (!handle) handle.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  if (!handle || rd_kafka_consume_start_queue(handle.get(), partition, offset, queue_.get()) != 0)
    return failure(what, rd_kafka_last_error());
  begun_[{topic, partition}] = true;
  return {};
}

void Consumer::end(const std::string& topic, std::int32_t partition) {
  if (begun_.erase({topic, partition}) > 0) rd_kafka_consume_stop(topics_.at(topic).get(), partition);
}

Result<std::optional<Consumer::Item>> Consumer::one(int wait_ms) {
  const Handle<rd_kafka_message_t> message(rd_kafka_consume_queue(queue_.get(), wait_ms));
  if (!message) return std::optional<Item>();
  Item item;
  auto& record = item.record;
  record.topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
  record.partition = message->partition;
  record.offset = message->offset;
  item.is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  if (item.is_end) return std::optional(std::move(item));
  if (message->err) {
    return failure(fmt::format("read {}[{}]", record.topic, record.partition), message->err,
                   rd_kafka_message_errstr(message.get()));
  }
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const auto millis = rd_kafka_message_timestamp(message.get(), &kind);
  record.timestamp = millis > 0 && millis < INT64_MAX / 1000 ? millis * 1000 : 0;
  record.key = bytes_of(message->key, message->key_len);
  record.value = bytes_of(message->payload, message->len);
  return std::optional(std::move(item));
}

Result<std::vector<Consumer::Item>> Consumer::next(std::chrono::milliseconds wait, std::size_t most) {
  std::vector<Item> out;
  auto item = MAIA_TRY(one(static_cast<int>(wait.count())));
  while (item) {
    out.push_back(*std::move(item));
    if (out.size() >= most) break;
    item = MAIA_TRY(one(0));
  }
  return out;
}

}  // namespace maia::kafka
