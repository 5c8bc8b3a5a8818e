// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/heartbeat.h"
#include "maia/connectors/postgres/publication.h"
#include "maia/connectors/postgres/publication_mark.h"
#include "maia/connectors/postgres/slot.h"
#include "maia/connectors/postgres/snapshot.h"
#include "maia/connectors/postgres/source_config.h"
#include "maia/connectors/postgres/stream.h"

namespace maia::postgres {

/// A PostgreSQL database as a source: one publication, one logical replication slot with pgoutput.
class PostgresSource final : public Source {
 public:
  /// Does not connect. `again` reads how to connect anew for every new session, because passwords change.
  PostgresSource(SourceConfig config, std::string pipeline, net::ConnectionAgain again = {});

  Result<Findings> check() override;
  Result<std::vector<SourceTable>> tables() override;
  Result<Prepared> prepare(const std::optional<Position>& resume) override;
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<std::unique_ptr<Stream>> stream(const Position& from, std::vector<SchemaRef> known_tables) override;
  Result<Position> end() override;
  std::partial_ordering compare(const Position& a, const Position& b) const override {
    return postgres::compare(a, b);
  }
  std::string describe(const Position& position) const override;
  Result<Position> position_from_text(std::string_view text, const Position& near) const override;
  Result<Prepared> begin_anew() override;
  Status heartbeat() override;
  Result<std::vector<std::string>> drop() override;

 private:
  /// How long the session of a MAIA that was killed may still hold the slot.
  static constexpr std::chrono::milliseconds kReleasePatience{10'000};

  /// The session for everything but snapshot and stream; opened anew when it broke.
  Result<Connection*> session();
  Status connect_anew();
  Result<std::unique_ptr<Connection>> open_replication();
  Result<Selection> selection(Connection& connection);
  /// Whether the server can give everything after `place`: its own history, the slot, what the publication
  /// sent meanwhile. Code::lost_history if not; Code::unavailable while somebody reads the slot and
  /// `patience` is over.
  Status check_history(Connection& replication, const LogPlace& place, std::chrono::milliseconds patience);
  /// Waits until nobody makes or reads the slot; nothing if it is gone by then.
  Result<std::optional<Slot>> await_slot(const Slot& slot, const std::optional<Lsn>& resume,
                                         std::chrono::milliseconds patience);
  /// Waits until nobody uses the slot, and removes it; whether there was one.
  Result<bool> drop_slot();
  /// The same error, but for good once the slot has been in use for longer than any dead session can hold it.
  Result<Error> limit_waiting(Error busy);
  /// Makes or finds the heartbeat's row; says so where there can be none.
  Status begin_heartbeat();
  Status remember_publication(const PublicationMark& mark);
  Result<PublicationMark> publication_mark();
  Result<Lsn> emit_message(const std::string& content);
  SnapshotTerms snapshot_terms(PublicationScope scope) const;
  Result<bool> all_binary(Connection& connection, const PublicationScope& scope, const Selection& selected);

  SourceConfig config_;
  std::string pipeline_;
  Connection::Options connect_;
  net::ConnectionAgain connection_again_;
  std::unique_ptr<Connection> session_;
  static constexpr std::size_t kBrokenSessions = 4;  ///< more than calls are nested
  std::deque<std::unique_ptr<Connection>> broken_sessions_;
  std::optional<ServerIdentity> server_;
  bool beats_ = false;        ///< the source has our heartbeat row
  bool said_silent_ = false;  ///< that it has none was told
  Beat beat_;                 ///< as the row was when we last read or wrote it
  std::optional<std::chrono::steady_clock::time_point> busy_since_;  ///< the slot, of somebody else
  std::shared_ptr<StreamNotes> notes_ = std::make_shared<StreamNotes>();
  /// The replication session that has just made the slot, and what it exports, until `snapshot` takes them.
  std::unique_ptr<Connection> exporter_;
  NewSlot exported_;
};

}  // namespace maia::postgres
