// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/kafka_session.h"

#include <rdkafka.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace maia::testing {
namespace {

constexpr int kPatienceMs = 60'000;

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_DeleteTopic_t* topic) const { rd_kafka_DeleteTopic_destroy(topic); }
  void operator()(rd_kafka_NewPartitions_t* more) const { rd_kafka_NewPartitions_destroy(more); }
  void operator()(rd_kafka_DeleteRecords_t* records) const { rd_kafka_DeleteRecords_destroy(records); }
  void operator()(rd_kafka_AclBinding_t* binding) const { rd_kafka_AclBinding_destroy(binding); }
  void operator()(rd_kafka_UserScramCredentialAlteration_t* change) const {
    rd_kafka_UserScramCredentialAlteration_destroy(change);
  }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

Error failed(std::string what, rd_kafka_resp_err_t why) {
  return Error{.code = Error::Code::unavailable, .message = std::move(what) + ": " + rd_kafka_err2str(why)};
}

Result<Owned<rd_kafka_t>> client(rd_kafka_type_t type, const std::string& address,
                                 std::map<std::string, std::string> settings) {
  settings["bootstrap.servers"] = address;
  settings["log_level"] = "0";
  auto* conf = rd_kafka_conf_new();
  char why[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return Error{.code = Error::Code::invalid_config, .message = why};
    }
  }
  auto* made = rd_kafka_new(type, conf, why, sizeof why);
  if (made) return Owned<rd_kafka_t>(made);
  rd_kafka_conf_destroy(conf);
  return Error{.code = Error::Code::unavailable, .message = why};
}

Result<Owned<const rd_kafka_metadata_t>> metadata_of(rd_kafka_t* of) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(of, 1, nullptr, &metadata, kPatienceMs);
  if (error) return failed("read the topics", error);
  return Owned<const rd_kafka_metadata_t>(metadata);
}

KafkaRecord record_of(const rd_kafka_message_t& message) {
  KafkaRecord record{.partition = message.partition, .offset = message.offset};
  if (message.key) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload) record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
  }
  return record;
}

}  // namespace

std::string KafkaRecord::header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return each.first == name; });
  return found == headers.end() ? "" : found->second;
}

Status KafkaSession::make_topic(const std::string& topic, int partitions,
                                const std::map<std::string, std::string>& settings) const {
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  char why[512];
  const Owned<rd_kafka_NewTopic_t> made(rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, why, sizeof why));
  for (const auto& [name, value] : settings) {
    rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
  }
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  auto* topics = made.get();
  rd_kafka_CreateTopics(admin.get(), &topics, 1, nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  const auto* result = answer ? rd_kafka_event_CreateTopics_result(answer.get()) : nullptr;
  if (!result) return failed("make topic " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
  std::size_t count = 0;
  const auto** each = rd_kafka_CreateTopics_result_topics(result, &count);
  if (count != 1) return failed("make topic " + topic, rd_kafka_event_error(answer.get()));
  const auto error = rd_kafka_topic_result_error(each[0]);
  if (error) return failed("make topic " + topic, error);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (this->partitions(topic) != partitions) {
    if (std::chrono::steady_clock::now() > deadline) {
      return failed("see topic " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
  }
  return {};
}

Status KafkaSession::remove_topic(const std::string& topic) const {
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  const Owned<rd_kafka_DeleteTopic_t> gone(rd_kafka_DeleteTopic_new(topic.c_str()));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  auto* topics = gone.get();
  rd_kafka_DeleteTopics(admin.get(), &topics, 1, nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  if (!answer || rd_kafka_event_error(answer.get()))
    return failed("remove topic " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (partitions(topic) != 0) {
    if (std::chrono::steady_clock::now() > deadline)
      return failed("remove topic " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
  return {};
}

Status KafkaSession::add_partitions(const std::string& topic, int partitions) const {
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  char why[512];
  const Owned<rd_kafka_NewPartitions_t> more(
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions), why, sizeof why));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  auto* each = more.get();
  rd_kafka_CreatePartitions(admin.get(), &each, 1, nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (this->partitions(topic) != partitions) {
    if (std::chrono::steady_clock::now() > deadline)
      return failed("add partitions to " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
  return {};
}

std::vector<std::string> KafkaSession::topics() const {
  std::vector<std::string> names;
  const auto admin = client(RD_KAFKA_PRODUCER, address_, settings_);
  if (!admin.ok()) return names;
  const auto metadata = metadata_of(admin->get());
  for (int i = 0; metadata.ok() && i < (*metadata)->topic_cnt; ++i) {
    names.emplace_back((*metadata)->topics[i].topic);
  }
  return names;
}

int KafkaSession::partitions(const std::string& topic) const {
  const auto admin = client(RD_KAFKA_PRODUCER, address_, settings_);
  if (!admin.ok()) return 0;
  const auto metadata = metadata_of(admin->get());
  for (int i = 0; metadata.ok() && i < (*metadata)->topic_cnt; ++i) {
    if (topic == (*metadata)->topics[i].topic) return (*metadata)->topics[i].partition_cnt;
  }
  return 0;
}

Result<std::vector<KafkaRecord>> KafkaSession::committed(const std::string& topic) const {
  return read(topic, "read_committed");
}

Result<std::vector<KafkaRecord>> KafkaSession::written(const std::string& topic) const {
  return read(topic, "read_uncommitted");
}

Status KafkaSession::await_open_transaction(const std::string& topic, std::chrono::milliseconds limit) const {
  auto settings = settings_;
  settings["isolation.level"] = "read_committed";
  const auto committed = MAIA_TRY(client(RD_KAFKA_CONSUMER, address_, settings));
  settings["isolation.level"] = "read_uncommitted";
  const auto written = MAIA_TRY(client(RD_KAFKA_CONSUMER, address_, settings));
  const auto end_of = [&](const Owned<rd_kafka_t>& reader) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const auto error = rd_kafka_query_watermark_offsets(reader.get(), topic.c_str(), 0, &low, &high, 1000);
    return error ? std::int64_t{0} : high;
  };
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto stable = end_of(committed);
    if (end_of(written) > stable && end_of(committed) == stable) return {};
  }
  return Error{.code = Error::Code::timeout, .message = "no transaction was open in " + topic};
}

Result<std::vector<KafkaRecord>> KafkaSession::read(const std::string& topic,
                                                    const std::string& isolation) const {
  const auto count = partitions(topic);
  auto settings = settings_;
  settings["group.id"] = "maia-test";
  settings["isolation.level"] = isolation;
  settings["enable.partition.eof"] = "true";
  settings["enable.auto.commit"] = "false";
  settings["fetch.wait.max.ms"] = "20";
  const auto consumer = MAIA_TRY(client(RD_KAFKA_CONSUMER, address_, std::move(settings)));
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(count));
  for (int i = 0; i < count; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  if (const auto error = rd_kafka_assign(consumer.get(), list.get())) return failed("read " + topic, error);
  std::vector<KafkaRecord> records;
  for (int ended = 0; ended < count;) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(consumer.get(), kPatienceMs));
    if (!message) return failed("read " + topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (message->err) {
      return failed("read " + topic, message->err);
    } else {
      records.push_back(record_of(*message));
    }
  }
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::pair(a.partition, a.offset) < std::pair(b.partition, b.offset);
  });
  return records;
}

Status KafkaSession::append(const std::string& topic, const std::vector<KafkaRecord>& records) const {
  auto settings = settings_;
  settings["enable.idempotence"] = "true";
  const auto producer = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, std::move(settings)));
  for (const auto& record : records) {
    auto* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    const std::string_view key = record.key ? *record.key : std::string_view();
    const std::string_view value = record.value ? *record.value : std::string_view();
    const auto error = rd_kafka_producev(
        producer.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(record.partition),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error) {
      rd_kafka_headers_destroy(headers);
      return failed("write to " + topic, error);
    }
  }
  if (const auto error = rd_kafka_flush(producer.get(), kPatienceMs))
    return failed("write to " + topic, error);
  return {};
}

Status KafkaSession::remove_before(const std::string& topic, std::int32_t partition,
                                   std::int64_t offset) const {
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  const Owned<rd_kafka_DeleteRecords_t> records(rd_kafka_DeleteRecords_new(list.get()));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  auto* one = records.get();
  rd_kafka_DeleteRecords(admin.get(), &one, 1, nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  const auto error = answer ? rd_kafka_event_error(answer.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (error) return failed("remove records of " + topic, error);
  return {};
}

Status KafkaSession::make_user(const std::string& user, const std::string& password, int bits) const {
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  const auto* secret = reinterpret_cast<const unsigned char*>(password.data());
  const Owned<rd_kafka_UserScramCredentialAlteration_t> change(rd_kafka_UserScramCredentialUpsertion_new(
      user.c_str(), bits == 256 ? RD_KAFKA_SCRAM_MECHANISM_SHA_256 : RD_KAFKA_SCRAM_MECHANISM_SHA_512, 4096,
      secret, password.size(), nullptr, 0));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  auto* one = change.get();
  rd_kafka_AlterUserScramCredentials(admin.get(), &one, 1, nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  const auto* result = answer ? rd_kafka_event_AlterUserScramCredentials_result(answer.get()) : nullptr;
  if (!result) return failed("make user " + user, RD_KAFKA_RESP_ERR__TIMED_OUT);
  std::size_t count = 0;
  const auto** each = rd_kafka_AlterUserScramCredentials_result_responses(result, &count);
  if (count != 1) return failed("make user " + user, rd_kafka_event_error(answer.get()));
  const auto* error = rd_kafka_AlterUserScramCredentials_result_response_error(each[0]);
  const auto code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
  return code ? Status(failed("make user " + user, code)) : Status();
}

Status KafkaSession::grant(const std::string& user, const std::vector<KafkaGrant>& grants) const {
  const std::map<std::string, rd_kafka_AclOperation_t> operations{
      {"Read", RD_KAFKA_ACL_OPERATION_READ},
      {"Write", RD_KAFKA_ACL_OPERATION_WRITE},
      {"Create", RD_KAFKA_ACL_OPERATION_CREATE},
      {"Delete", RD_KAFKA_ACL_OPERATION_DELETE},
      {"Describe", RD_KAFKA_ACL_OPERATION_DESCRIBE},
      {"DescribeConfigs", RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS}};
  const auto admin = MAIA_TRY(client(RD_KAFKA_PRODUCER, address_, settings_));
  std::vector<Owned<rd_kafka_AclBinding_t>> bindings;
  std::vector<rd_kafka_AclBinding_t*> all;
  for (const auto& grant : grants) {
    for (const auto& operation : grant.operations) {
      bindings.emplace_back(rd_kafka_AclBinding_new(
          grant.on == KafkaGrant::On::topic ? RD_KAFKA_RESOURCE_TOPIC : RD_KAFKA_RESOURCE_TRANSACTIONAL_ID,
          grant.name.c_str(),
          grant.prefix ? RD_KAFKA_RESOURCE_PATTERN_PREFIXED : RD_KAFKA_RESOURCE_PATTERN_LITERAL,
          ("User:" + user).c_str(), "*", operations.at(operation), RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
          nullptr, 0));
      all.push_back(bindings.back().get());
    }
  }
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  rd_kafka_CreateAcls(admin.get(), all.data(), all.size(), nullptr, queue.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), kPatienceMs));
  const auto error = answer ? rd_kafka_event_error(answer.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  return error ? Status(failed("grant to " + user, error)) : Status();
}

}  // namespace maia::testing
