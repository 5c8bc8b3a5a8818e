// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/connectors/kafka/cluster.h"
#include "maia/connectors/kafka/log_place.h"
#include "maia/connectors/kafka/source_config.h"

namespace maia::kafka {

/// Topics of a Kafka cluster as a source. A log and no more: it has no snapshot. Where it is read up to is in
/// the positions, so there is no consumer group, and nothing is made or kept at the cluster.
class KafkaSource final : public Source {
 public:
  /// Does not connect. `again` reads the settings anew for every new session, because passwords change.
  using Again = std::function<Result<SourceConfig>()>;
  explicit KafkaSource(SourceConfig config, Again again = {})
      : config_(std::move(config)), again_(std::move(again)) {}

  Result<Findings> check() override;
  Result<std::vector<SourceTable>> tables() override;
  /// Every place that it is asked for is one that the next stream comes by (LogStream::Terms::come_by).
  Result<Prepared> prepare(const std::optional<Position>& resume) override;
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<std::unique_ptr<Stream>> stream(const Position& from, std::vector<SchemaRef> known_tables) override;
  Result<Position> end() override;
  std::partial_ordering compare(const Position& a, const Position& b) const override {
    return kafka::compare(a, b);
  }
  std::string describe(const Position& position) const override;
  Result<Position> position_from_text(std::string_view text, const Position& near) const override;
  Result<std::vector<std::string>> drop() override { return std::vector<std::string>(); }

 private:
  Result<Cluster> session();

  SourceConfig config_;
  Again again_;
  Handle<rd_kafka_t> client_;
  std::vector<LogPlace> places_;
};

}  // namespace maia::kafka
