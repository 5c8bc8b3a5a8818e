// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/position.h"

namespace maia::kafka {

/// How far each partition of a topic is read: the offset of the record that comes next.
struct TopicPlace {
  std::string id;                     ///< Kafka's own, which another topic of the same name does not have
  std::vector<std::int64_t> offsets;  ///< by partition
  friend bool operator==(const TopicPlace&, const TopicPlace&) = default;
};

/// A place in the topics of a cluster. Topics that are not selected any more stay in it, so that they go on
/// where they were left. The token is "kafka:<cluster>" and, for each topic, ";<name>=<id>" with its offsets
/// behind, each after a comma.
struct LogPlace {
  std::string cluster;
  std::map<std::string, TopicPlace> topics;

  Position position() const;
  /// For people: "orders[0]=12 orders[1]=7".
  std::string text() const;
  /// Code::corruption if the token is none of ours. Takes any bytes.
  static Result<LogPlace> parse(const Position& position);
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

/// Order of two positions. The empty one is before all; what a place does not mention has not been read.
/// Unordered: tokens that are not ours, other clusters, topics that were made anew, and places that each have
/// records that the other lacks. (Those of one run of MAIA are ordered: its reading made the order.)
std::partial_ordering compare(const Position& a, const Position& b);
std::partial_ordering compare(const LogPlace& a, const LogPlace& b);

}  // namespace maia::kafka
