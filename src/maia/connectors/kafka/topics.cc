// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/topics.h"

#include "maia/connectors/kafka/admin_call.h"

namespace maia::kafka {
namespace {

/// What became of the one topic that was asked for. False where the answer is the harmless one: all is as
/// wanted already.
Result<bool> done(const std::string& what, const rd_kafka_topic_result_t** results, std::size_t count,
                  rd_kafka_resp_err_t harmless) {
  if (count != 1) return Error{Error::Code::internal, Recovery::halt, what + ": no answer for it"};
  const auto error = rd_kafka_topic_result_error(results[0]);
  if (error == harmless) return false;
  if (!error) return true;
  const auto* text = rd_kafka_topic_result_error_string(results[0]);
  return failure(what, error, text ? text : "");
}

}  // namespace

Result<bool> Topics::create(const TopicDesign& design, Trial trial) {
  const auto what = "make the topic " + design.name;
  char why[512];
  const Handle<rd_kafka_NewTopic_t> topic(
      rd_kafka_NewTopic_new(design.name.c_str(), design.partitions, design.replication, why, sizeof why));
  if (!topic) return Error{Error::Code::invalid_config, Recovery::halt, what + ": " + why};
  for (const auto& [name, value] : design.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const AdminCall call(client_, config_, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  if (trial == Trial::yes) rd_kafka_AdminOptions_set_validate_only(call.options(), 1, why, sizeof why);
  auto* one = topic.get();
  rd_kafka_CreateTopics(client_, &one, 1, call.options(), call.queue());
  const auto event = MAIA_TRY(call.answer(what));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  return done(what, results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
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
  const AdminCall call(client_, config_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  auto* one = resource.get();
  rd_kafka_DescribeConfigs(client_, &one, 1, call.options(), call.queue());
  const auto event = MAIA_TRY(call.answer(what));
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
  const AdminCall call(client_, config_, RD_KAFKA_ADMIN_OP_DELETETOPICS);
  auto* one = gone.get();
  rd_kafka_DeleteTopics(client_, &one, 1, call.options(), call.queue());
  const auto event = MAIA_TRY(call.answer(what));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  return done(what, results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

}  // namespace maia::kafka
