// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "maia/connector/source.h"
#include "maia/connectors/mysql/assembler.h"
#include "maia/connectors/mysql/binlog_transport.h"
#include "maia/connectors/mysql/log_tables.h"

namespace maia::mysql {

struct StreamTerms {
  Connection::Options connect;
  LogPlace from;
  LogTables::Terms tables;
};

/// A session that reads the binary log, and an ordinary one for the catalogue.
class LogStream final : public Stream {
 public:
  static Result<std::unique_ptr<Stream>> open(StreamTerms terms);

  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token stop) override;
  /// The server keeps its logs for as long as it is told to, whoever reads them.
  Status confirm(const Position&) override { return {}; }
  std::optional<std::uint64_t> lag_bytes() const override { return std::nullopt; }

 private:
  LogStream() = default;
  Status take(ByteView event);

  std::unique_ptr<Connection> catalogue_;
  std::unique_ptr<BinlogTransport> transport_;
  EventParser parser_;
  std::unique_ptr<LogTables> tables_;
  std::unique_ptr<Assembler> assembler_;
};

/// The character set of each collation, by the collation's number in the log.
Result<std::map<std::uint32_t, std::string>> read_collations(Connection& connection);

}  // namespace maia::mysql
