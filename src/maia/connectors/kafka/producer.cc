// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/producer.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::kafka {
namespace {

/// What a record takes besides its key, value and headers, and a batch besides its records, at most.
constexpr std::uint64_t kOverhead = 512;

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(const ConnectionConfig& config, const Options& options) {
  std::unique_ptr<Producer> producer(new Producer(config, options));
  const auto timeout = std::to_string(options.transaction_timeout.count());
  const auto largest = options.largest_record + kOverhead;
  const auto buffer_kilobytes = std::max<std::uint64_t>(options.memory_bytes, 4 * largest) / 1024;
  producer->client_ = MAIA_TRY(
      make_client(RD_KAFKA_PRODUCER, config,
                  {{"transactional.id", options.transactional_id},
                   {"transaction.timeout.ms", timeout},
                   {"socket.timeout.ms",
                    std::to_string(std::min(config.request_timeout, options.transaction_timeout).count())},
                   {"message.timeout.ms", timeout},
                   {"enable.idempotence", "true"},
                   {"acks", "all"},
                   {"compression.codec", options.compression},
                   {"partitioner", "murmur2_random"},
                   {"message.max.bytes", std::to_string(largest)},
                   {"batch.size", std::to_string(std::min<std::uint64_t>(largest, 1'000'000))},
                   {"queue.buffering.max.messages", "0"},
                   {"queue.buffering.max.kbytes",
                    std::to_string(std::clamp<std::uint64_t>(buffer_kilobytes, 1, 1 << 20))}},
                  {.delivered = delivered, .opaque = producer.get()}));
  const Handle<rd_kafka_error_t> error(
      rd_kafka_init_transactions(producer->client_.get(), producer->patience()));
  MAIA_TRY(outcome(fmt::format("begin as {}", options.transactional_id), error));
  return producer;
}

Producer::~Producer() {
  abort();
  // Its callbacks come to us for as long as it lives.
  client_.reset();
}

void Producer::delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& producer = *static_cast<Producer*>(self);
  ++producer.acknowledged_;
  if (!message->err || producer.refusal_) return;
  producer.refusal_ = producer.failed(fmt::format("write to the topic {}", rd_kafka_topic_name(message->rkt)),
                                      message->err, rd_kafka_err2str(message->err));
}

Error Producer::failed(std::string_view what, rd_kafka_resp_err_t code, std::string_view detail) const {
  // Once the client is dead it says just that; what it died of is told apart.
  char text[512];
  const auto cause = rd_kafka_fatal_error(client_.get(), text, sizeof text);
  return cause ? failure(what, cause, text) : failure(what, code, detail);
}

Status Producer::done(std::string_view what, const Handle<rd_kafka_error_t>& error) const {
  if (!error) return {};
  return failed(what, rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
}

Status Producer::refused() const { return refusal_ ? Status(*refusal_) : Status(); }

Status Producer::begin() {
  if (broken_) {
    return Error{Error::Code::unavailable, Recovery::reconnect,
                 "the last transaction could not be taken back"};
  }
  refusal_.reset();
  const Handle<rd_kafka_error_t> error(rd_kafka_begin_transaction(client_.get()));
  MAIA_TRY(done("begin a transaction", error));
  in_transaction_ = true;
  return {};
}

Status Producer::send(const OutgoingRecord& record) {
  const auto bytes = [](const std::optional<std::string_view>& text) { return text ? text->size() : 0; };
  const auto data = [](const std::optional<std::string_view>& text) {
    // librdkafka copies and never writes; an empty text is not an absent one.
    return text ? const_cast<char*>(text->data() ? text->data() : "") : nullptr;
  };
  for (;;) {
    Handle<rd_kafka_headers_t> headers(rd_kafka_headers_new(record.headers.size()));
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    const auto error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(record.topic->c_str()),
        RD_KAFKA_V_PARTITION(record.partition.value_or(RD_KAFKA_PARTITION_UA)),
        RD_KAFKA_V_KEY(data(record.key), bytes(record.key)),
        RD_KAFKA_V_VALUE(data(record.value), bytes(record.value)), RD_KAFKA_V_HEADERS(headers.get()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (!error) {
      static_cast<void>(headers.release());  // the record's now
      rd_kafka_poll(client_.get(), 0);
      return refused();
    }
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      MAIA_TRY(refused());
      return failed(fmt::format("write to the topic {}", *record.topic), error);
    }
    MAIA_TRY(make_room());
  }
}

Status Producer::make_room() {
  const auto before = acknowledged_;
  if (rd_kafka_poll(client_.get(), patience()) == 0 || acknowledged_ == before) {
    return failed("write records", RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
  return refused();
}

Status Producer::flush() {
  for (;;) {
    const auto before = acknowledged_;
    const auto error = rd_kafka_flush(client_.get(), patience());
    MAIA_TRY(refused());
    if (!error) return {};
    if (acknowledged_ == before) return failed("write records", RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
}

Status Producer::commit() {
  // What fails before the commit is sent has a known outcome.
  MAIA_TRY(flush());
  const Handle<rd_kafka_error_t> error(rd_kafka_commit_transaction(client_.get(), patience()));
  if (!error) {
    in_transaction_ = false;
    return {};
  }
  MAIA_TRY(refused());
  auto outcome = done("commit", error);
  if (rd_kafka_error_txn_requires_abort(error.get())) return outcome;
  broken_ = true;
  if (outcome.error().code == Error::Code::fenced) return outcome;
  return Error{Error::Code::unknown_outcome, Recovery::reconnect, outcome.error().message};
}

void Producer::abort() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  if (broken_) return;
  const Handle<rd_kafka_error_t> error(rd_kafka_abort_transaction(client_.get(), patience()));
  broken_ = error != nullptr;
  refusal_.reset();
}

}  // namespace maia::kafka
