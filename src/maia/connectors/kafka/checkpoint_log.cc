// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/checkpoint_log.h"

namespace maia::kafka {
namespace {

constexpr std::string_view kMagic = "maia checkpoint 1\n";
constexpr std::string_view kCheckpointKey = "checkpoint";
constexpr std::string_view kFactPrefix = "fact:";

std::string_view text_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

}  // namespace

std::vector<CheckpointRecord> checkpoint_records(const SavedCheckpoint& saved,
                                                 const CheckpointUpdate& update) {
  std::vector<CheckpointRecord> records;
  records.reserve(update.facts.size() + 1);
  for (const auto& [name, value] : update.facts) records.push_back({std::string(kFactPrefix) + name, value});
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.bytes(as_bytes(kMagic));
  writer.text(saved.pipeline);
  writer.u64(saved.epoch.value);
  writer.text(saved.taken_by);
  writer.u64(update.sequence.value);
  writer.text(update.position.token);
  writer.text(update.seal);
  records.push_back({std::string(kCheckpointKey), std::string(as_text(bytes))});
  return records;
}

Status CheckpointReader::apply(std::string_view key, const std::optional<std::string_view>& value) {
  if (key.starts_with(kFactPrefix)) {
    const std::string name(key.substr(kFactPrefix.size()));
    if (value) {
      saved_.checkpoint.facts[name] = *value;
    } else {
      saved_.checkpoint.facts.erase(name);
    }
    return {};
  }
  ByteReader reader(as_bytes(value.value_or("")));
  const bool ours = key == kCheckpointKey && as_text(reader.bytes(kMagic.size())) == kMagic;
  saved_.pipeline = reader.text();
  saved_.epoch.value = reader.u64();
  saved_.taken_by = reader.text();
  saved_.checkpoint.sequence.value = reader.u64();
  saved_.checkpoint.position.token = reader.text();
  saved_.checkpoint.seal = reader.text();
  found_ = true;
  if (ours && reader.finished()) return {};
  return Error{Error::Code::corruption, Recovery::halt, "a record is no checkpoint of MAIA",
               "Choose another `checkpoint_topic`, or remove the topic to begin again"};
}

std::optional<SavedCheckpoint> CheckpointReader::take() && {
  if (!found_) return std::nullopt;
  return std::move(saved_);
}

TopicDesign checkpoint_topic(const std::string& name, std::int32_t replication) {
  return {.name = name,
          .partitions = 1,
          .replication = replication,
          // Small segments, since only closed ones are compacted and all of it is read at each start.
          .settings = {{"cleanup.policy", "compact"},
                       {"segment.bytes", std::to_string(16 << 20)},
                       {"min.cleanable.dirty.ratio", "0.1"}}};
}

Result<std::optional<SavedCheckpoint>> read_checkpoint(const ConnectionConfig& config,
                                                       const std::string& topic) {
  const auto what = "read the checkpoint in " + topic;
  // Without a consumer group, which would need a privilege of its own.
  const auto consumer = MAIA_TRY(make_client(RD_KAFKA_CONSUMER, config,
                                             {{"isolation.level", "read_committed"},
                                              {"enable.partition.eof", "true"},
                                              {"auto.offset.reset", "error"},
                                              {"fetch.wait.max.ms", "10"}}));
  const Handle<rd_kafka_topic_t> opened(rd_kafka_topic_new(consumer.get(), topic.c_str(), nullptr));
  if (!opened || rd_kafka_consume_start(opened.get(), 0, RD_KAFKA_OFFSET_BEGINNING) != 0) {
    return failure(what, rd_kafka_last_error());
  }
  CheckpointReader reader;
  const auto patience = static_cast<int>(config.request_timeout.count());
  for (;;) {
    const Handle<rd_kafka_message_t> message(rd_kafka_consume(opened.get(), 0, patience));
    if (!message) return failure(what, RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      rd_kafka_consume_stop(opened.get(), 0);
      return std::move(reader).take();
    }
    if (message->err) return failure(what, message->err, rd_kafka_message_errstr(message.get()));
    std::optional<std::string_view> value;
    if (message->payload) value = text_of(message->payload, message->len);
    MAIA_TRY(in(what, reader.apply(text_of(message->key, message->key_len), value)));
  }
}

}  // namespace maia::kafka
