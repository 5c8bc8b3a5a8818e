// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/position.h"
#include "maia/connectors/mysql/snapshot.h"
#include "maia/connectors/mysql/source_config.h"

namespace maia::mysql {

/// A MySQL or MariaDB server as a source: its binary log, by global transaction ids. Nothing is made at the
/// source and nothing is kept there.
class MysqlSource final : public Source {
 public:
  /// Does not connect. `again` reads how to connect anew for every new session, because passwords change.
  MysqlSource(SourceConfig config, const std::string& pipeline, net::ConnectionAgain again = {});

  Result<Findings> check() override;
  Result<std::vector<SourceTable>> tables() override;
  Result<Prepared> prepare(const std::optional<Position>& resume) override;
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<std::unique_ptr<Stream>> stream(const Position& from, std::vector<SchemaRef> known_tables) override;
  Result<Position> end() override;
  std::partial_ordering compare(const Position& a, const Position& b) const override {
    return mysql::compare(a, b);
  }
  std::string describe(const Position& position) const override;
  Result<Position> position_from_text(std::string_view text, const Position& near) const override;
  Result<Prepared> begin_anew() override { return prepare(std::nullopt); }
  Result<std::vector<std::string>> drop() override { return std::vector<std::string>(); }

 private:
  Result<Connection*> session();
  Status check_history(Connection& connection, const LogPlace& place);
  Result<std::shared_ptr<ViewPool>> open_views();

  SourceConfig config_;
  Connection::Options connect_;
  net::ConnectionAgain connection_again_;
  std::unique_ptr<Connection> session_;
  /// Begun by `prepare`, until `snapshot` takes them.
  std::shared_ptr<ViewPool> views_;
};

}  // namespace maia::mysql
