// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/position.h"
#include "maia/connectors/postgres/relations.h"
#include "maia/sql/window_builder.h"
#include "maia/types/stream_event.h"

namespace maia::postgres {

using sql::WindowBuilder;

/// Turns the messages of one stream into events. Small committed transactions are grouped until `flush` or a
/// limit; a transaction beyond the limit goes out in fragments while it is read, whether the server streams
/// it before its commit or not. Transactions that had committed before `from` are dropped. Used from one
/// thread.
class Assembler {
 public:
  struct Limits {
    std::size_t bytes = 8 << 20;  ///< of messages
    std::size_t rows = 20'000;
  };
  /// Positions carry the heartbeats of `slot` that come along.
  Assembler(Relations& relations, const LogPlace& from, Limits limits, std::string slot = {})
      : relations_(relations), from_(from), limits_(limits), slot_(std::move(slot)), beat_(from.beat) {}

  /// `bytes`: size of the message.
  Status take(const Message& message, std::size_t bytes);
  /// Makes an event of the committed transactions that were collected.
  void flush();
  /// The server has sent everything up to here.
  void pass_to(Lsn end);

  bool has_event() const { return !events_.empty(); }
  StreamEvent pop();
  /// When the oldest of the committed transactions that wait for `flush` was committed; nothing: none waits.
  std::optional<WallMicros> waits_since() const {
    const auto& waiting = collected_.transactions;
    return waiting.empty() ? std::nullopt : std::optional(waiting.front().committed_at);
  }
  /// Everything up to here was read.
  Lsn read_to() const { return read_to_; }

 private:
  /// Rows that are collected, with what they weigh.
  struct Collected {
    WindowBuilder window;
    std::vector<Transaction> transactions;
    std::uint64_t next_ordinal = 0;
    std::size_t bytes = 0;
    std::size_t rows = 0;
  };
  /// A transaction that goes out in fragments.
  struct Running {
    Xid top = 0;
    Collected collected;
    std::map<Xid, std::uint64_t> first;  ///< ordinal of each subtransaction's first row
    bool sent = false;
  };
  /// The committed transaction that is being read.
  struct Open {
    Transaction transaction;
    std::size_t bytes_before = 0;  ///< what had been collected when it began
    bool skipped = false;
    bool in_fragments = false;
    std::optional<Beat> beat;
  };

  Status on(const Begin& message);
  Status on(const Commit& message);
  Status on(const Relation& message);
  Status on(const Insert& message);
  Status on(const Update& message);
  Status on(const Delete& message);
  Status on(const TruncateMessage& message);
  Status on(const StreamStart& message);
  Status on(const StreamStop& message);
  Status on(const StreamCommit& message);
  Status on(const StreamAbort& message);
  Status on(const Origin&) { return {}; }
  Status on(const TypeMessage&) { return {}; }
  Status on(const LogicalMessage& message);
  Status on(const BeginPrepare&) { return two_phase(); }
  Status on(const Prepare&) { return two_phase(); }
  Status on(const CommitPrepared&) { return two_phase(); }
  Status on(const RollbackPrepared&) { return two_phase(); }
  Status on(const StreamPrepare&) { return two_phase(); }
  static Error two_phase();

  /// Finds the table of a row and where it goes; calls `push(entry, batch, ordinal)`.
  template <class Push>
  Status row(Oid relation, Xid xid, Push&& push);
  Result<Collected*> target();
  Xid top() const { return block_ == nullptr ? 0 : block_->top; }
  Position position_at(Lsn lsn) const;
  void emit_changes(std::vector<Window::Item> items, std::vector<Transaction> transactions);
  /// Makes an event of the complete transactions; the rows of an open one stay.
  void emit_complete();
  void emit_fragment(Running& running);
  void emit(StreamEvent event) { events_.push_back(std::move(event)); }
  /// Turns the open transaction into one that goes out in fragments.
  void begin_fragments();
  bool reached(const Collected& collected, std::size_t times) const {
    return collected.bytes >= times * limits_.bytes || collected.rows >= times * limits_.rows;
  }
  /// A transaction without rows for us still moves the position.
  void pass() { passed_ = true; }
  Status told(Relations::Entry& entry, Collected& to);
  Status join(Oid table);

  Relations& relations_;
  LogPlace from_;
  Limits limits_;
  std::string slot_;
  Beat beat_;
  std::deque<StreamEvent> events_;
  Collected collected_;
  std::optional<Open> open_;
  Running large_;                   ///< the open transaction, if it goes out in fragments
  std::map<Xid, Running> running_;  ///< streamed before their commit
  Running* block_ = nullptr;        ///< whose stream block is open
  bool passed_ = false;             ///< the position moved without rows
  Lsn read_to_ = 0;
};

}  // namespace maia::postgres
