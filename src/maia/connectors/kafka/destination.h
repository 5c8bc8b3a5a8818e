// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/connector/destination.h"
#include "maia/connectors/kafka/change_records.h"
#include "maia/connectors/kafka/checkpoint_log.h"
#include "maia/connectors/kafka/destination_config.h"
#include "maia/connectors/kafka/producer.h"
#include "maia/connectors/kafka/topic_name.h"

namespace maia::kafka {

/// Appends changes to topics. Rows and checkpoint are of one Kafka transaction, so that a reader of committed
/// records sees whole source transactions, each once.
class KafkaDestination final : public Destination {
 public:
  KafkaDestination(DestinationConfig config, const std::string& pipeline, std::uint64_t memory_bytes,
                   Clock& clock);

  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override;
  using Destination::open;
  Result<Opened> open(std::string_view pipeline, Epoch held) override;
  Status begin() override;
  Status prepare(const TableTarget& target) override;
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) override;
  Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) override;
  Status write(std::span<const Delivery> deliveries) override;
  Status commit(const CheckpointUpdate& update) override;
  void rollback() override;
  Result<std::vector<std::string>> drop(std::string_view pipeline) override;

 private:
  Status take_over(std::string_view pipeline, Epoch held);
  Status refuse_if_fenced(const std::optional<SavedCheckpoint>& saved, Epoch held) const;
  Status write_checkpoint(const CheckpointUpdate& update);
  Status write_row(const Delivery& delivery, std::size_t row, WallMicros now);
  Status verify_size_limit(Topics& topics, const std::string& topic);
  TopicDesign design(const std::string& topic) const;
  Error too_large(const TableTarget& target, const std::string& key, std::uint64_t bytes) const;
  /// Says who it is, where Kafka has shut us out, or that a transaction took too long.
  Error explained(Error error);
  Error took_too_long(const Error& error);
  Result<std::unique_ptr<Producer>> open_producer() const;
  void explain_finding(Findings& findings, const Status& tried, std::string good) const;
  std::string privileges() const;

  const DestinationConfig config_;  ///< with the names that were not given
  const std::uint64_t memory_bytes_;
  Clock& clock_;
  TopicNames names_;
  ChangeRecords records_;

  std::unique_ptr<Producer> producer_;
  /// How long the brokers let a transaction be open; more than was asked for once one has taken longer.
  std::chrono::milliseconds transaction_timeout_;
  Clock::Steady begun_;    ///< the transaction that is open
  SavedCheckpoint saved_;  ///< as committed; its facts are only in the topic
  std::map<std::string, bool> prepared_;
};

}  // namespace maia::kafka
