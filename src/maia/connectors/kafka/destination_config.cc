// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/destination_config.h"

namespace maia::kafka {
namespace {

Status fits_together(const DestinationConfig& config) {
  const auto wrong = [](std::string message, std::string hint) {
    return Error{Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
  };
  const bool with_schema = config.encoding != Encoding::json;
  if (with_schema == config.registry.url.empty()) {
    return wrong("`encoding: avro` or `protobuf` and `registry` belong together", "Give both, or neither");
  }
  if (with_schema && config.format == Format::cloudevents) {
    return wrong("CloudEvents are written as JSON only",
                 "Choose format: debezium or flat, or encoding: json");
  }
  return {};
}

}  // namespace

const config::Spec<DestinationConfig>& destination_spec() {
  using C = DestinationConfig;
  static const auto spec =
      config::Spec<C>()
          .include(&C::connection, connection_spec())
          .add("topic", &C::topic,
               "Name of a table's topic. {pipeline}, {schema} and {table} stand for their names; other "
               "characters than letters, digits, dot, dash and underscore become an underscore.")
          .add("format", &C::format,
               "The form of a value: Debezium's envelope, the row itself with the operation beside it, or a "
               "CloudEvent around the envelope.")
          .add("encoding", &C::encoding,
               "How keys and values are written; avro and protobuf need a registry.")
          .group("registry", &C::registry, registry_spec(), "The schema registry, for Avro and Protobuf.")
          .add("tombstones", &C::tombstones,
               "Whether a delete is followed by a record without a value, by which compaction forgets the "
               "key.")
          .add("create_topics", &C::create_topics, "Whether topics that are missing are made.")
          .add("partitions", &C::partitions,
               "Partitions of topics that MAIA makes. One keeps the order of the whole table; with more, the "
               "order of each key.")
          .between(1, 10'000)
          .add("replication", &C::replication,
               "Copies of topics that MAIA makes; -1 is the brokers' default.")
          .between(-1, 100)
          .add("topic_settings", &C::topic_settings,
               "Further settings of topics that MAIA makes, such as cleanup.policy: compact.")
          .add("max_record_size", &C::max_record_size,
               "Rows that are larger as a record are refused. A topic must take records of this size: "
               "topics that MAIA makes do.")
          .between(ByteSize{10'000}, ByteSize{500'000'000})
          .add("compression", &C::compression, "How batches of records are compressed.")
          .advanced()
          .add(
              "transaction_timeout", &C::transaction_timeout,
              "How long the brokers keep a transaction open. A source transaction that takes longer to write "
              "is refused; after a crash, readers of committed records wait this long unless MAIA is back.")
          .between(std::chrono::seconds(1), std::chrono::hours(24))
          .advanced()
          .add(
              "transactional_id", &C::transactional_id,
              "By which Kafka knows the pipeline and shuts out its older runs; maia-{pipeline} if not given. "
              "Two Kafka destinations of one pipeline need different ones.")
          .advanced()
          .add("checkpoint_topic", &C::checkpoint_topic,
               "Where the checkpoint is kept, a topic of its own; __{transactional_id} if not given.")
          .advanced()
          .rule(fits_together);
  return spec;
}

}  // namespace maia::kafka
