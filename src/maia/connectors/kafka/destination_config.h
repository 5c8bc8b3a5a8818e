// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "maia/base/byte_size.h"
#include "maia/connectors/kafka/connection_config.h"
#include "maia/connectors/kafka/registry.h"

namespace maia::kafka {

/// What the value of a record is.
enum class Format : std::uint8_t { debezium, flat, cloudevents };

/// How keys and values are written.
enum class Encoding : std::uint8_t { json, avro, protobuf };

enum class Compression : std::uint8_t { none, gzip, snappy, lz4, zstd };

/// `destination:` with `type: kafka`.
struct DestinationConfig {
  ConnectionConfig connection;
  std::string topic = "{pipeline}.{schema}.{table}";
  Format format = Format::debezium;
  Encoding encoding = Encoding::json;
  RegistryConfig registry;  ///< for Avro and Protobuf
  bool tombstones = true;
  bool create_topics = true;
  std::int32_t partitions = 1;
  std::int32_t replication = -1;
  std::map<std::string, std::string> topic_settings;
  ByteSize max_record_size{1'000'000};
  Compression compression = Compression::zstd;
  std::chrono::milliseconds transaction_timeout{std::chrono::minutes(5)};
  std::string transactional_id;
  std::string checkpoint_topic;
};

const config::Spec<DestinationConfig>& destination_spec();

}  // namespace maia::kafka

template <>
inline constexpr maia::config::Choice<maia::kafka::Format> maia::config::choices_of<maia::kafka::Format>[] = {
    {"debezium", maia::kafka::Format::debezium},
    {"flat", maia::kafka::Format::flat},
    {"cloudevents", maia::kafka::Format::cloudevents}};

template <>
inline constexpr maia::config::Choice<maia::kafka::Compression>
    maia::config::choices_of<maia::kafka::Compression>[] = {{"none", maia::kafka::Compression::none},
                                                            {"gzip", maia::kafka::Compression::gzip},
                                                            {"snappy", maia::kafka::Compression::snappy},
                                                            {"lz4", maia::kafka::Compression::lz4},
                                                            {"zstd", maia::kafka::Compression::zstd}};

template <>
inline constexpr maia::config::Choice<maia::kafka::Encoding>
    maia::config::choices_of<maia::kafka::Encoding>[] = {{"json", maia::kafka::Encoding::json},
                                                         {"avro", maia::kafka::Encoding::avro},
                                                         {"protobuf", maia::kafka::Encoding::protobuf}};
