// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "maia/base/result.h"
#include "maia/connectors/kafka/client.h"

namespace maia::kafka {

/// A topic as it is to be made.
struct TopicDesign {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication = -1;  ///< -1: the brokers' default
  std::map<std::string, std::string> settings;
};

/// Makes, describes and removes topics through a client that it does not own.
class Topics {
 public:
  Topics(rd_kafka_t* client, const ConnectionConfig& config) : client_(client), config_(config) {}

  /// Whether it was made now. One that is there is left as it is.
  Result<bool> make(const TopicDesign& design) { return create(design, Trial::no); }
  /// Whether it could be made, or is there already.
  Status may_make(const TopicDesign& design);
  Result<bool> exists(const std::string& topic);
  /// A setting of a topic that is there; nothing where the user may not see it.
  Result<std::optional<std::string>> setting(const std::string& topic, const std::string& name);
  /// Whether it was there.
  Result<bool> remove(const std::string& topic);

 private:
  enum class Trial : bool { no, yes };
  Result<bool> create(const TopicDesign& design, Trial trial);

  rd_kafka_t* client_;
  const ConnectionConfig& config_;
};

}  // namespace maia::kafka
