// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "maia/connectors/kafka/client.h"
#include "maia/connectors/kafka/log_place.h"

namespace maia::kafka {

/// Asks a cluster about its topics, through a client that it does not own.
class Cluster {
 public:
  Cluster(rd_kafka_t* client, const ConnectionConfig& config) : client_(client), config_(config) {}

  Result<std::string> id();
  /// All topics that we may see, but for Kafka's own.
  Result<std::vector<std::string>> topics();
  struct Topic {
    std::string id;
    std::int32_t partitions = 0;
  };
  /// Those that are there.
  Result<std::map<std::string, Topic>> describe(const std::vector<std::string>& topics);

  /// Offsets at a side of each partition's log, or of its first record at or after a time in milliseconds.
  static constexpr std::int64_t kFirst = -2;  ///< the first that is kept
  static constexpr std::int64_t kEnd = -1;    ///< behind the last, committed or not
  using Offsets = std::map<std::string, std::vector<std::int64_t>>;
  Result<Offsets> offsets(const std::map<std::string, Topic>& topics, std::int64_t at);

 private:
  rd_kafka_t* client_;
  const ConnectionConfig& config_;
};

}  // namespace maia::kafka
