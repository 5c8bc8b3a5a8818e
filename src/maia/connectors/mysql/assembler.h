// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/connectors/mysql/binlog_event.h"
#include "maia/connectors/mysql/log_tables.h"
#include "maia/connectors/mysql/position.h"
#include "maia/connectors/mysql/statement.h"
#include "maia/sql/window_builder.h"
#include "maia/types/stream_event.h"

namespace maia::mysql {

/// Turns the events of one binary log into events of a stream. Small committed transactions are grouped until
/// `flush` or a limit; one beyond the limit goes out in fragments while it is read, and so do the rows of an
/// XA transaction at its prepare, because they come to be at its commit. Used from one thread.
class Assembler {
 public:
  struct Limits {
    std::size_t bytes = 8 << 20;  ///< of rows in the log
    std::size_t rows = 20'000;
  };
  Assembler(LogTables& tables, LogPlace from, Limits limits);

  /// The events of a Payload are taken one by one.
  Status take(const Event& event);
  /// Makes an event of the committed transactions that were collected.
  void flush();

  bool has_event() const { return !events_.empty(); }
  StreamEvent pop();

 private:
  struct Collected {
    sql::WindowBuilder window;
    std::vector<Transaction> transactions;
    std::uint64_t next_ordinal = 0;
    std::size_t bytes = 0;
    std::size_t rows = 0;
  };
  using AnyGtid = std::variant<Gtid, DomainGtid>;
  /// The transaction that is being read.
  struct Open {
    AnyGtid gtid;
    Transaction transaction;
    std::size_t bytes_before = 0;  ///< what had been collected when it began
    std::size_t rows_before = 0;
    bool skipped = false;  ///< we have had it
    bool begun = false;    ///< it ends with a commit, not with its first statement
    bool in_fragments = false;
    bool sent = false;
    std::map<std::string, std::uint64_t> savepoints;  ///< the ordinal of the first row behind each
    std::vector<SchemaChange> told;
    std::optional<DomainPositions::Last> before;  ///< MariaDB: the one before it in its domain
  };
  /// An XA transaction that waits for its decision.
  struct Prepared {
    AnyGtid gtid;
    std::string id;
    bool sent = false;
    std::optional<DomainPositions::Last> before = {};  ///< MariaDB: the one before it in its domain
  };

  Status on(const Gtid& gtid, const EventHeader& header);
  Status on(const DomainGtid& gtid, const EventHeader& header);
  Status on(const Query& query, const EventHeader& header);
  Status on(const Xid&, const EventHeader&) { return commit(); }
  Status on(const XaPrepare& prepare, const EventHeader&);
  Status on(const TableMap& map, const EventHeader&);
  Status on(const RowsEvent& rows, const EventHeader& header);
  Status on(const FormatDescription&, const EventHeader&);
  Status on(const Payload&, const EventHeader&) { return {}; }
  Status on(const Rotate&, const EventHeader&) { return {}; }
  Status on(const Heartbeat&, const EventHeader&) { return {}; }
  Status on(const Nothing&, const EventHeader&) { return {}; }

  Status begin(AnyGtid gtid, std::string id, WallMicros at, bool skipped);
  Status commit();
  Status statement(const Statement& statement);
  /// Takes back what the open transaction did from this ordinal on.
  void roll_back(std::uint64_t from_ordinal);
  Status decide(const Statement& statement);
  void pass(const AnyGtid& gtid);
  void finish_read_from();

  Collected& target() { return open_ && open_->in_fragments ? large_ : collected_; }
  Position position() const;
  void emit_complete();
  void emit_fragment();
  void begin_fragments();
  void emit(StreamEvent event) { events_.push_back(std::move(event)); }
  bool reached(const Collected& collected, std::size_t times) const {
    return collected.bytes >= times * limits_.bytes || collected.rows >= times * limits_.rows;
  }

  LogTables& tables_;
  LogPlace place_;
  Limits limits_;
  std::deque<StreamEvent> events_;
  Collected collected_;
  Collected large_;  ///< the rows of the open transaction, if it goes out in fragments
  std::optional<Open> open_;
  std::map<std::string, Prepared> prepared_;  ///< by XID
  DomainPositions seen_;                      ///< MariaDB: what was read, had or not
  bool passed_ = true;  ///< the position was not told yet: it moved without rows, or is the first
};

}  // namespace maia::mysql
