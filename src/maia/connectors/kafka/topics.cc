// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/topics.h"

namespace maia::kafka {

Handle<rd_kafka_AdminOptions_t> Topics::options(rd_kafka_admin_op_t operation) const {
  Handle<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(client_, operation));
  const auto limit = static_cast<int>(config_.request_timeout.count());
  char why[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), limit, why, sizeof why);
  return options;
}

Result<Handle<rd_kafka_event_t>> Topics::answer(const std::string& what, rd_kafka_queue_t* queue) const {
  // The request has a deadline of its own, so that an answer comes.
  Handle<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, -1));
  if (const auto error = rd_kafka_event_error(event.get())) {
    return failure(what, error, rd_kafka_event_error_string(event.get()));
  }
  return event;
}

Result<bool> Topics::create(const TopicDesign& design, Trial trial) {
  const auto what = "make the topic " + design.name;
  char why[512];
  const Handle<rd_kafka_NewTopic_t> topic(
      rd_kafka_NewTopic_new(design.name.c_str(), design.partitions, design.replication, why, sizeof why));
  if (!topic) return Error{Error::Code::invalid_config, Recovery::halt, what + ": " + why};
  for (const auto& [name, value] : design.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const auto how = options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  if (trial == Trial::yes) rd_kafka_AdminOptions_set_validate_only(how.get(), 1, why, sizeof why);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_));
  auto* one = topic.get();
  rd_kafka_CreateTopics(client_, &one, 1, how.get(), queue.get());
  const auto event = MAIA_TRY(answer(what, queue.get()));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return Error{Error::Code::internal, Recovery::halt, what + ": no answer for it"};
  const auto error = rd_kafka_topic_result_error(results[0]);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
  if (!error) return true;
  const auto* text = rd_kafka_topic_result_error_string(results[0]);
  return failure(what, error, text ? text : "");
}

Status Topics::may_make(const TopicDesign& design) {
  const auto made = create(design, Trial::yes);
  return made.ok() ? Status{} : Status(made.error());
}

Result<bool> Topics::exists(const std::string& topic) {
  const auto metadata = MAIA_TRY(metadata_of(client_, config_));
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (topic == metadata->topics[i].topic) return true;
  }
  return false;
}

Result<std::optional<std::string>> Topics::setting(const std::string& topic, const std::string& name) {
  const auto what = "describe the topic " + topic;
  const Handle<rd_kafka_ConfigResource_t> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const auto how = options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_));
  auto* one = resource.get();
  rd_kafka_DescribeConfigs(client_, &one, 1, how.get(), queue.get());
  const auto event = MAIA_TRY(answer(what, queue.get()));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return std::optional<std::string>();
  const auto error = rd_kafka_ConfigResource_error(results[0]);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return std::optional<std::string>();
  if (error) return failure(what, error);
  const auto** entries = rd_kafka_ConfigResource_configs(results[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (name == rd_kafka_ConfigEntry_name(entries[i]) && value) return std::optional<std::string>(value);
  }
  return std::optional<std::string>();
}

Result<bool> Topics::remove(const std::string& topic) {
  const auto what = "remove the topic " + topic;
  const Handle<rd_kafka_DeleteTopic_t> gone(rd_kafka_DeleteTopic_new(topic.c_str()));
  const auto how = options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_));
  auto* one = gone.get();
  rd_kafka_DeleteTopics(client_, &one, 1, how.get(), queue.get());
  const auto event = MAIA_TRY(answer(what, queue.get()));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  if (count != 1) return Error{Error::Code::internal, Recovery::halt, what + ": no answer for it"};
  const auto error = rd_kafka_topic_result_error(results[0]);
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return false;
  if (error) return failure(what, error);
  return true;
}

}  // namespace maia::kafka
