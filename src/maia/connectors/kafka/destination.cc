// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/destination.h"

#include <fmt/format.h>

#include <array>

#include "maia/base/this_process.h"
#include "maia/codec/change_walk.h"
#include "maia/config/scalar.h"
#include "maia/connector/rows_in_order.h"
#include "maia/connectors/kafka/avro_encoder.h"
#include "maia/connectors/kafka/json_encoder.h"
#include "maia/connectors/kafka/protobuf_encoder.h"
#include "maia/connectors/kafka/trace.h"
#include "maia/types/value_text.h"

namespace maia::kafka {
namespace {

constexpr std::uint64_t kUsualMemory = 64u << 20;

DestinationConfig with_names(DestinationConfig config, const std::string& pipeline) {
  if (config.transactional_id.empty()) config.transactional_id = "maia-" + pipeline;
  if (config.checkpoint_topic.empty()) {
    config.checkpoint_topic = "__" + topic_text(config.transactional_id);
  }
  return config;
}

/// Which row it is, for people: "id=7".
std::string key_text(const TableTarget& target, const Batch& batch, std::size_t row) {
  constexpr std::size_t kShown = 200;
  std::string out;
  for (const auto i : target.key) {
    const auto& column = batch.old_key(i, row);
    out += (out.empty() ? "" : ", ") + target.schema->columns[i].name + "=";
    if (column.has_value(row)) append_value_text(out, target.schema->columns[i].type, column, row);
  }
  return out.empty() ? "without a key" : out.substr(0, kShown);
}

std::string text_of(std::chrono::milliseconds time) {
  return config::to_string(std::chrono::microseconds(time));
}

std::unique_ptr<ChangeEncoder> encoder_of(const DestinationConfig& config, const std::string& pipeline) {
  if (config.encoding == Encoding::json) return std::make_unique<JsonEncoder>(config.format, pipeline);
  const auto timeout = config.connection.request_timeout;
  if (config.encoding == Encoding::avro)
    return std::make_unique<AvroEncoder>(config.format, pipeline, config.registry, timeout);
  return std::make_unique<ProtobufEncoder>(config.format, pipeline, config.registry, timeout);
}

}  // namespace

KafkaDestination::KafkaDestination(DestinationConfig config, const std::string& pipeline,
                                   std::uint64_t memory_bytes, Clock& clock)
    : config_(with_names(std::move(config), pipeline)),
      memory_bytes_(memory_bytes ? memory_bytes : kUsualMemory),
      clock_(clock),
      names_(config_.topic, pipeline),
      records_(encoder_of(config_, pipeline), config_.tombstones),
      transaction_timeout_(config_.transaction_timeout) {}

Result<Destination::Opened> KafkaDestination::open(std::string_view pipeline, Epoch held) {
  producer_.reset();
  prepared_.clear();
  {
    const auto client = MAIA_TRY(make_client(RD_KAFKA_PRODUCER, config_.connection, {}));
    Topics topics(client.get(), config_.connection);
    if (!MAIA_TRY(topics.exists(config_.checkpoint_topic))) {
      MAIA_TRY(topics.make(checkpoint_topic(config_.checkpoint_topic, config_.replication)));
    }
  }
  MAIA_TRY(take_over(pipeline, held));
  return Opened{saved_.epoch, saved_.checkpoint};
}

Status KafkaDestination::refuse_if_fenced(const std::optional<SavedCheckpoint>& saved, Epoch held) const {
  if (held.value == 0) return {};
  // A newer epoch is our own where the answer to its commit was lost.
  if (saved && (saved->epoch == held || (saved->epoch > held && saved->taken_by == this_process())))
    return {};
  return Error{Error::Code::fenced, Recovery::halt,
               saved ? fmt::format("a newer run of the pipeline writes to Kafka: {}", saved->taken_by)
                     : fmt::format("the checkpoint in {} was removed while it was written to",
                                   config_.checkpoint_topic),
               "Stop one of the two runs"};
}

Status KafkaDestination::take_over(std::string_view pipeline, Epoch held) {
  // Before the newer run, if there is one, is shut out.
  const auto before = MAIA_TRY(read_checkpoint(config_.connection, config_.checkpoint_topic));
  MAIA_TRY(refuse_if_fenced(before, held));
  producer_ = MAIA_TRY(open_producer());
  // Again: only now is every transaction of the run before us ended, one way or the other.
  auto saved = MAIA_TRY(read_checkpoint(config_.connection, config_.checkpoint_topic));
  MAIA_TRY(refuse_if_fenced(saved, held));
  if (saved && saved->pipeline != pipeline) {
    return Error{
        Error::Code::invalid_config, Recovery::halt,
        fmt::format("{} has the checkpoint of the pipeline {}", config_.checkpoint_topic, saved->pipeline),
        "Give each pipeline a `transactional_id` and `checkpoint_topic` of its own"};
  }
  saved_ = saved ? *std::move(saved) : SavedCheckpoint{};
  saved_.pipeline = pipeline;
  ++saved_.epoch.value;
  saved_.taken_by = this_process();
  MAIA_TRY(producer_->begin());
  MAIA_TRY(write_checkpoint({.sequence = saved_.checkpoint.sequence,
                             .position = saved_.checkpoint.position,
                             .facts = {},
                             .seal = saved_.checkpoint.seal}));
  return producer_->commit();
}

Result<std::unique_ptr<Producer>> KafkaDestination::open_producer() const {
  auto opened =
      Producer::open(config_.connection, {.transactional_id = config_.transactional_id,
                                          .transaction_timeout = transaction_timeout_,
                                          .compression = std::string(config::word_of(config_.compression)),
                                          .largest_record = config_.max_record_size.bytes,
                                          .memory_bytes = memory_bytes_});
  if (opened.ok() || opened.error().reason != kTimeoutRefused ||
      transaction_timeout_ == config_.transaction_timeout) {
    return opened;
  }
  return Error{
      Error::Code::check_failed, Recovery::halt,
      fmt::format("a source transaction takes longer to write than Kafka lets a transaction be open, and "
                  "the brokers refuse {}",
                  text_of(transaction_timeout_)),
      "Raise transaction.max.timeout.ms of the brokers and `transaction_timeout`", opened.error().reason};
}

Error KafkaDestination::explained(Error error) {
  if (error.code != Error::Code::fenced) return error;
  const auto saved = read_checkpoint(config_.connection, config_.checkpoint_topic);
  if (!saved.ok()) return error;
  if (auto fenced = refuse_if_fenced(*saved, saved_.epoch); !fenced.ok()) return std::move(fenced).error();
  return took_too_long(error);
}

/// Nobody has taken over (yet): the brokers themselves have ended the transaction.
Error KafkaDestination::took_too_long(const Error& error) {
  const auto allowed = transaction_timeout_;
  // Not where they had another reason, such as a coordinator that moved.
  if (clock_.steady() - begun_ >= allowed) transaction_timeout_ = 2 * allowed;
  return Error{
      Error::Code::unknown_outcome, Recovery::reconnect,
      fmt::format("Kafka has ended the transaction: {}", error.message),
      fmt::format("Where a source transaction takes longer than {} to write, MAIA asks for twice that; set "
                  "`transaction_timeout` so that it need not be written again",
                  text_of(allowed))};
}

Status KafkaDestination::begin() {
  if (!producer_)
    return Error{Error::Code::internal, Recovery::reconnect, "the session with Kafka is closed"};
  begun_ = clock_.steady();
  auto begun = producer_->begin();
  return begun.ok() ? Status{} : Status(explained(std::move(begun).error()));
}

TopicDesign KafkaDestination::design(const std::string& topic) const {
  auto settings = config_.topic_settings;
  settings.emplace("max.message.bytes", std::to_string(config_.max_record_size.bytes + 1024));
  return {.name = topic,
          .partitions = config_.partitions,
          .replication = config_.replication,
          .settings = std::move(settings)};
}

Status KafkaDestination::prepare(const TableTarget& target) {
  const auto topic = MAIA_TRY(names_.of(target.name));
  if (prepared_.contains(topic)) return {};
  Topics topics(producer_->client(), config_.connection);
  if (MAIA_TRY(topics.exists(topic))) {
    MAIA_TRY(verify_size_limit(topics, topic));
  } else if (config_.create_topics) {
    MAIA_TRY(topics.make(design(topic)));
  } else {
    return Error{Error::Code::check_failed, Recovery::halt,
                 fmt::format("the topic {} is missing and create_topics is false", topic),
                 "Make it, or set create_topics: true"};
  }
  prepared_[topic] = true;
  return {};
}

Status KafkaDestination::verify_size_limit(Topics& topics, const std::string& topic) {
  const auto limit = MAIA_TRY(topics.setting(topic, "max.message.bytes"));
  if (!limit || std::strtoull(limit->c_str(), nullptr, 10) >= config_.max_record_size.bytes) return {};
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("the topic {} takes records of up to {} bytes, but max_record_size is {}", topic,
                           *limit, config_.max_record_size.bytes),
               fmt::format("Set max_record_size to {}, or raise max.message.bytes of the topic", *limit)};
}

Status KafkaDestination::alter(const TableTarget&, const TableTarget& after, const SchemaChange&) {
  records_.encoder().forget();
  return prepare(after);
}

Status KafkaDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  for (const auto* target : targets) {
    const auto topic = MAIA_TRY(names_.of(target->name));
    const auto value = MAIA_TRY(records_.encoder().truncate(topic, *target, clock_.wall()));
    auto sent = producer_->send({.topic = &topic, .partition = 0, .key = {}, .value = value, .headers = {}});
    if (!sent.ok()) return explained(std::move(sent).error());
  }
  return {};
}

Status KafkaDestination::write(std::span<const Delivery> deliveries) {
  const auto now = clock_.wall();
  auto written = rows_in_order(
      deliveries, [&](const Delivery& delivery, std::size_t row) { return write_row(delivery, row, now); });
  return written.ok() ? Status{} : Status(explained(std::move(written).error()));
}

Status KafkaDestination::write_row(const Delivery& delivery, std::size_t row, WallMicros now) {
  const auto& batch = *delivery.batch;
  const auto& target = *delivery.target;
  const auto& transaction = codec::transaction_at(delivery.transactions, batch.ordinal(row));
  const auto topic = MAIA_TRY(names_.of(target.name));
  const auto operation = transaction.operation_id(batch.ordinal(row));
  const auto trace = traceparent(saved_.pipeline, transaction.position.token, operation);
  const std::array<std::pair<std::string_view, std::string_view>, 3> headers{
      {{"maia.op_id", operation},
       {"traceparent", trace},
       {"content-type", records_.encoder().content_type()}}};
  const auto* records = MAIA_TRY(records_.of_row(topic, target, batch, row, transaction, now));
  for (const auto& record : *records) {
    const auto bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0) +
                       operation.size() + trace.size() + 128;
    if (bytes > config_.max_record_size.bytes) return too_large(target, key_text(target, batch, row), bytes);
    OutgoingRecord out{.topic = &topic, .partition = {}, .key = {}, .value = {}, .headers = headers};
    if (record.key) out.key = *record.key;
    if (record.value) out.value = *record.value;
    // Rows that no key tells apart must stay in order all the same.
    if (!record.key) out.partition = 0;
    MAIA_TRY(producer_->send(out));
  }
  return {};
}

Error KafkaDestination::too_large(const TableTarget& target, const std::string& key,
                                  std::uint64_t bytes) const {
  return Error{Error::Code::data, Recovery::halt,
               fmt::format("the row {} of {} is {} bytes as a record, and max_record_size is {}", key,
                           to_string(target.name), bytes, config_.max_record_size.bytes),
               "Raise max_record_size and max.message.bytes of the topic, or leave large columns out"};
}

Status KafkaDestination::write_checkpoint(const CheckpointUpdate& update) {
  for (const auto& record : checkpoint_records(saved_, update)) {
    OutgoingRecord out{
        .topic = &config_.checkpoint_topic, .partition = 0, .key = record.key, .value = {}, .headers = {}};
    if (record.value) out.value = *record.value;
    MAIA_TRY(producer_->send(out));
  }
  return {};
}

Status KafkaDestination::commit(const CheckpointUpdate& update) {
  auto done = write_checkpoint(update);
  if (done.ok()) done = producer_->commit();
  return done.ok() ? Status{} : Status(explained(std::move(done).error()));
}

void KafkaDestination::rollback() {
  if (producer_) producer_->abort();
}

Result<std::vector<std::string>> KafkaDestination::drop(std::string_view pipeline) {
  const auto client = MAIA_TRY(make_client(RD_KAFKA_PRODUCER, config_.connection, {}));
  Topics topics(client.get(), config_.connection);
  if (!MAIA_TRY(topics.exists(config_.checkpoint_topic))) return std::vector<std::string>();
  const auto saved = MAIA_TRY(read_checkpoint(config_.connection, config_.checkpoint_topic));
  if (!saved || saved->pipeline != pipeline) return std::vector<std::string>();
  MAIA_TRY(topics.remove(config_.checkpoint_topic));
  return std::vector<std::string>{"topic " + config_.checkpoint_topic};
}

}  // namespace maia::kafka
