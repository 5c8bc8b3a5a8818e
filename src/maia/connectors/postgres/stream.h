// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "maia/connector/source.h"
#include "maia/connectors/postgres/assembler.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/publication.h"
#include "maia/connectors/postgres/publication_mark.h"
#include "maia/connectors/postgres/relations.h"
#include "maia/connectors/postgres/source_config.h"

namespace maia::postgres {

/// What a source and its streams tell each other; outlives both.
struct StreamNotes {
  std::atomic<Lsn> server_end = 0;           ///< end of the server's log, when somebody last asked
  std::atomic<bool> binary_refused = false;  ///< a table has got a column that is only read as text
  /// A transaction could not be read before its commit, so none is asked for any more. Either it changes a
  /// table, which the catalogue shows at its commit only (and on a standby nobody can tell whether it does);
  /// or the server failed to decode it, as PostgreSQL 16 to 18 do after a rolled back ALTER TABLE in a
  /// savepoint. Decoded at its commit it is fine.
  std::atomic<bool> only_committed = false;
};

struct StreamTerms {
  Connection::Options connect;
  std::string slot;
  LogPlace from;
  Relations::Terms relations;
  PublicationMark publication;  ///< as it was when the stream was found to begin without a gap
  bool remembers = false;       ///< the source's heartbeat row keeps the mark
  /// Selected tables that the publication lacks are added to it.
  std::optional<PublicationWish> wish;
  std::uint64_t decoding_memory = 256 << 20;
  ChangeOrigin origin = ChangeOrigin::any;
  std::shared_ptr<StreamNotes> notes;
};

/// A walsender session that runs START_REPLICATION, and an ordinary session for the catalogue (PostgreSQL
/// documentation, "Streaming Replication Protocol" and "Logical Streaming Replication Parameters").
class SlotStream final : public Stream {
 public:
  static Result<std::unique_ptr<Stream>> open(StreamTerms terms);
  /// Tells what is confirmed.
  ~SlotStream() override;

  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token stop) override;
  Status confirm(const Position& durable) override;
  std::optional<std::uint64_t> lag_bytes() const override;
  std::optional<std::uint64_t> held_bytes() const override;

 private:
  explicit SlotStream(const LogPlace& from) : from_(from), received_(from.lsn) {}
  Status start(StreamTerms terms);
  /// Takes what has arrived until there is an event or nothing is left. True: nothing is left.
  Result<bool> take_arrived();
  /// Behind a backlog of small transactions. True: more has arrived meanwhile.
  Result<bool> rest_on_backlog();
  Status take_message(std::string_view message);
  Status take_keepalive(std::string_view message);
  Status send_status();
  Status send_status_if_due();
  Status watch_publication_if_due();
  Status add_new_tables();
  Error ended();

  using Steady = std::chrono::steady_clock;
  LogPlace from_;
  std::shared_ptr<StreamNotes> notes_;
  std::unique_ptr<Connection> catalogue_;
  std::unique_ptr<Connection> replication_;
  std::unique_ptr<Relations> relations_;
  std::unique_ptr<Assembler> assembler_;
  PgoutputParser parser_;
  Lsn received_;  ///< told to the server as written
  /// Told to the server as flushed: it may forget everything up to there. At first what its slot knows
  /// already; never where we begin to read, which is durable nowhere but perhaps in the journal.
  Lsn confirmed_ = 0;
  Lsn told_confirmed_ = 0;
  Steady::time_point told_at_;
  std::chrono::milliseconds status_interval_{10'000};
  std::optional<Steady::time_point> rested_since_;
  std::uint64_t sent_at_ = 0;  ///< WallMicros by the server's clock, of the last message

  MarkedPublication marked_;
  PublicationMark publication_;
  bool remembers_ = false;
  Selection selection_;
  Steady::time_point watched_at_;
  std::optional<PublicationWish> wish_;
  PublicationScope scope_;
  std::set<Oid> left_out_;  ///< new tables that could not be added, which was said
};

}  // namespace maia::postgres
