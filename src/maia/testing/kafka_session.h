// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/result.h"

namespace maia::testing {

struct KafkaRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  /// The value of a header, "" where there is none.
  std::string header(std::string_view name) const;
};

/// What a user may do to one topic or transactional id, or to all whose names begin so.
struct KafkaGrant {
  enum class On : std::uint8_t { topic, transactional_id };
  On on = On::topic;
  std::string name;
  bool prefix = false;
  std::vector<std::string> operations;  ///< as kafka-acls.sh has them
};

/// How a test looks at a Kafka and writes to it, independently of the connector. Every call makes its own
/// connection.
class KafkaSession {
 public:
  /// `settings` are librdkafka's, besides the address.
  explicit KafkaSession(std::string address, std::map<std::string, std::string> settings = {})
      : address_(std::move(address)), settings_(std::move(settings)) {}

  Status make_topic(const std::string& topic, int partitions = 1,
                    const std::map<std::string, std::string>& settings = {}) const;
  /// Waits until it is gone.
  Status remove_topic(const std::string& topic) const;
  Status add_partitions(const std::string& topic, int partitions) const;
  std::vector<std::string> topics() const;
  int partitions(const std::string& topic) const;
  /// What read_committed shows of a topic, by partition and offset, up to its end now.
  Result<std::vector<KafkaRecord>> committed(const std::string& topic) const;
  /// The same with what was taken back, or is not committed yet.
  Result<std::vector<KafkaRecord>> written(const std::string& topic) const;
  /// Waits until partition 0 has records of a transaction that is open. Code::timeout when `limit` has
  /// passed.
  Status await_open_transaction(const std::string& topic, std::chrono::milliseconds limit) const;
  /// Appends records and waits until they are acknowledged; a partition of -1 lets the key choose.
  Status append(const std::string& topic, const std::vector<KafkaRecord>& records) const;
  Status remove_before(const std::string& topic, std::int32_t partition, std::int64_t offset) const;
  /// Makes a user who logs in with SCRAM-SHA-512, or 256.
  Status make_user(const std::string& user, const std::string& password, int bits = 512) const;
  Status grant(const std::string& user, const std::vector<KafkaGrant>& grants) const;

 private:
  Result<std::vector<KafkaRecord>> read(const std::string& topic, const std::string& isolation) const;

  std::string address_;
  std::map<std::string, std::string> settings_;
};

}  // namespace maia::testing
