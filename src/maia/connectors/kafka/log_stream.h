// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/clock.h"
#include "maia/connector/source.h"
#include "maia/connectors/kafka/cluster.h"
#include "maia/connectors/kafka/consumer.h"
#include "maia/connectors/kafka/log_tables.h"

namespace maia::kafka {

/// Reads the selected topics from a place on. One transaction is what has come of all partitions, cut so that
/// the records of one source transaction stay together within a partition: where the name of the transaction
/// changes, or where everything that is committed was read. (One that is larger than kLargest is cut anyway.)
class LogStream final : public Stream {
 public:
  struct Terms {
    SourceConfig config;
    LogPlace from;
    /// Places that were reached before, and that something still refers to: the stream comes by each of them
    /// that is after `from`, whatever has come of the partitions, so that all of its own have an order to it.
    std::vector<LogPlace> come_by;
    std::vector<SchemaRef> known_tables;
    RecordDecoder::AskSchema ask_schema;
  };
  static Result<std::unique_ptr<Stream>> open(Terms terms);

  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token stop) override;
  /// The brokers keep records for as long as they are told to, whoever reads them.
  Status confirm(const Position&) override { return {}; }
  std::optional<std::uint64_t> lag_bytes() const override { return std::nullopt; }

 private:
  struct Read {
    SourceRecord record;
    Result<DecodedRecord> decoded;
    std::size_t size = 0;
  };
  struct Partition {
    std::deque<Read> read;
    std::size_t whole = 0;  ///< of these, as many as end source transactions
    std::size_t bytes = 0;
    std::string transaction;            ///< of the last one
    std::optional<std::int64_t> end;    ///< everything up to here was read
    std::optional<std::int64_t> limit;  ///< not further before all others are at the next place, too
    bool waits = false;                 ///< it is at its limit
  };
  using Name = std::pair<std::string, std::int32_t>;

  LogStream(Terms terms, Consumer consumer);
  Status look();
  Status begin_new();
  void aim();
  Status arrive();
  Status take(Consumer::Item item);
  Status named_loss(Error error);
  Status put(Window& window, sql::WindowBuilder& builder);
  Result<bool> put_one(Partition& partition, Window& window, sql::WindowBuilder& builder,
                       std::uint64_t& ordinal);
  std::int64_t& offset_of(const Name& name);
  std::optional<StreamEvent> idle();

  const SourceConfig config_;
  std::vector<LogPlace> come_by_;  ///< the next one last
  LogTables tables_;
  RecordDecoder decoder_;
  Consumer consumer_;
  LogPlace place_;  ///< everything up to here was yielded
  std::map<Name, Partition> partitions_;
  std::optional<Error> error_;  ///< behind what was yielded
  Clock::Steady looked_{};
  bool missed_ = false;  ///< a topic, at the last look
  std::optional<Position> told_;
  bool told_idle_ = false;
};

}  // namespace maia::kafka
