// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/cluster.h"

#include <fmt/format.h>

#include "maia/connectors/kafka/admin_call.h"

namespace maia::kafka {
namespace {

struct FreeTopics {
  void operator()(rd_kafka_TopicCollection_t* p) const { rd_kafka_TopicCollection_destroy(p); }
};

}  // namespace

Result<std::string> Cluster::id() {
  MAIA_TRY(metadata_of(client_, config_));  // for its errors
  char* id = rd_kafka_clusterid(client_, static_cast<int>(config_.request_timeout.count()));
  if (!id) return failure("ask for the cluster's id", RD_KAFKA_RESP_ERR__TIMED_OUT);
  std::string out = id;
  rd_kafka_mem_free(client_, id);
  return out;
}

Result<std::vector<std::string>> Cluster::topics() {
  const auto metadata = MAIA_TRY(metadata_of(client_, config_));
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (!topic.err && !std::string_view(topic.topic).starts_with("__")) names.emplace_back(topic.topic);
  }
  return names;
}

Result<std::map<std::string, Cluster::Topic>> Cluster::describe(const std::vector<std::string>& topics) {
  std::map<std::string, Topic> out;
  if (topics.empty()) return out;
  const std::string what = "describe the topics";
  std::vector<const char*> names;
  for (const auto& topic : topics) names.push_back(topic.c_str());
  const std::unique_ptr<rd_kafka_TopicCollection_t, FreeTopics> asked(
      rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  const AdminCall call(client_, config_, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
  rd_kafka_DescribeTopics(client_, asked.get(), call.options(), call.queue());
  const auto event = MAIA_TRY(call.answer(what));
  std::size_t count = 0;
  const auto** described =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_TopicDescription_name(described[i]);
    const auto* error = rd_kafka_TopicDescription_error(described[i]);
    const auto code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (code) return failure("describe the topic " + name, code, rd_kafka_error_string(error));
    std::size_t partitions = 0;
    rd_kafka_TopicDescription_partitions(described[i], &partitions);
    const char* id = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(described[i]));
    out[name] = Topic{.id = id ? id : "", .partitions = static_cast<std::int32_t>(partitions)};
  }
  return out;
}

Result<Cluster::Offsets> Cluster::offsets(const std::map<std::string, Topic>& topics, std::int64_t at) {
  const std::string what = "ask for the offsets of the topics";
  Offsets out;
  const Handle<rd_kafka_topic_partition_list_t> asked(rd_kafka_topic_partition_list_new(16));
  for (const auto& [name, topic] : topics) {
    out[name].resize(static_cast<std::size_t>(topic.partitions));
    for (std::int32_t i = 0; i < topic.partitions; ++i)
      rd_kafka_topic_partition_list_add(asked.get(), name.c_str(), i)->offset = at;
  }
  if (asked->cnt == 0) return out;
  const AdminCall call(client_, config_, RD_KAFKA_ADMIN_OP_LISTOFFSETS);
  rd_kafka_ListOffsets(client_, asked.get(), call.options(), call.queue());
  const auto event = MAIA_TRY(call.answer(what));
  std::size_t count = 0;
  const auto** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* each = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (each->err) return failure(fmt::format("{} ({}[{}])", what, each->topic, each->partition), each->err);
    out.at(each->topic).at(static_cast<std::size_t>(each->partition)) = each->offset;
  }
  return out;
}

}  // namespace maia::kafka
