// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/kafka/client.h"

namespace maia::kafka {

/// A record on its way. The views last until `send` returns.
struct OutgoingRecord {
  const std::string* topic = nullptr;
  std::optional<std::int32_t> partition;  ///< absent: by the hash of the key, as Kafka's own clients do
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const std::pair<std::string_view, std::string_view>> headers;
};

/// Writes records in transactions, one after the other. Used from one thread.
class Producer {
 public:
  struct Options {
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout;
    std::string compression;
    std::uint64_t largest_record = 0;  ///< bytes
    std::uint64_t memory_bytes = 0;    ///< for records that are not acknowledged
  };
  /// Ends every older producer with this transactional id and what it had not committed.
  static Result<std::unique_ptr<Producer>> open(const ConnectionConfig& config, const Options& options);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  rd_kafka_t* client() const { return client_.get(); }
  Status begin();
  bool in_transaction() const { return in_transaction_; }
  /// Code::data for a record that is too large.
  Status send(const OutgoingRecord& record);
  /// All or nothing. Code::unknown_outcome where it cannot be told: read back what is committed.
  Status commit();
  /// Takes back what was sent since `begin`. Where that fails, the next `begin` does too.
  void abort();

 private:
  explicit Producer(const ConnectionConfig& config, const Options& options)
      : config_(config), options_(options) {}
  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  Status make_room();
  Status flush();
  Status refused() const;
  Error failed(std::string_view what, rd_kafka_resp_err_t code, std::string_view detail = {}) const;
  Status done(std::string_view what, const Handle<rd_kafka_error_t>& error) const;
  int patience() const { return static_cast<int>(config_.request_timeout.count()); }

  const ConnectionConfig config_;
  const Options options_;
  Handle<rd_kafka_t> client_;
  bool in_transaction_ = false;
  bool broken_ = false;  ///< its state at the brokers is not known
  std::uint64_t acknowledged_ = 0;
  std::optional<Error> refusal_;  ///< of the first record of the transaction that was not taken
};

}  // namespace maia::kafka
