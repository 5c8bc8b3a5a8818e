// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"
#include "maia/connectors/postgres/native_type.h"

/// The messages of the logical replication protocol, versions 1 to 4 (PostgreSQL documentation, "Logical
/// Replication Message Formats"). LSNs are plain 64-bit numbers; times are microseconds since 1970, UTC.
/// Everything that a message refers to (names, values) lies in the bytes that were parsed or in the parser,
/// and is gone with the next call of `parse`.
namespace maia::postgres {

using Xid = std::uint32_t;

/// A value of a row as it was sent.
struct TupleValue {
  enum class Kind : char { null = 'n', unchanged = 'u', text = 't', binary = 'b' };
  Kind kind = Kind::null;
  std::string_view bytes;  ///< text and binary only
};
using TupleView = std::span<const TupleValue>;

/// Which row a tuple is. 'K': only columns of the replica identity have values, all others are sent as null.
enum class OldTuple : char { none = 0, key = 'K', full = 'O' };

struct Begin {
  std::uint64_t final_lsn = 0;
  WallMicros committed_at = 0;
  Xid xid = 0;
};
struct Commit {
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros committed_at = 0;
};
struct Origin {
  std::uint64_t lsn = 0;
  std::string_view name;
};
struct RelationColumn {
  bool in_key = false;
  std::string_view name;
  Oid type_oid = 0;
  std::int32_t typmod = -1;
};
struct Relation {
  Xid xid = 0;  ///< of the running (sub)transaction, inside a stream block; 0 outside. So for all that follow
  Oid oid = 0;
  std::string_view schema;  ///< "pg_catalog" where the message has the empty name
  std::string_view name;
  char replica_identity = 'd';  ///< d default, n nothing, f full, i index
  std::span<const RelationColumn> columns;
};
struct TypeMessage {
  Xid xid = 0;
  Oid oid = 0;
  std::string_view schema;
  std::string_view name;
};
struct Insert {
  Xid xid = 0;
  Oid relation = 0;
  TupleView after;
};
struct Update {
  Xid xid = 0;
  Oid relation = 0;
  OldTuple old_kind = OldTuple::none;
  TupleView before;
  TupleView after;
};
struct Delete {
  Xid xid = 0;
  Oid relation = 0;
  OldTuple old_kind = OldTuple::key;
  TupleView before;
};
struct TruncateMessage {
  Xid xid = 0;
  bool cascade = false;
  bool restart_identity = false;
  std::span<const Oid> relations;
};
struct LogicalMessage {
  Xid xid = 0;
  bool transactional = false;
  std::uint64_t lsn = 0;
  std::string_view prefix;
  std::string_view content;
};
struct StreamStart {
  Xid xid = 0;
  bool first_segment = false;
};
struct StreamStop {};
struct StreamCommit {
  Xid xid = 0;
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros committed_at = 0;
};
struct StreamAbort {
  Xid xid = 0;
  Xid subxid = 0;               ///< equal to xid: all of the transaction
  std::uint64_t abort_lsn = 0;  ///< protocol 4 with streaming 'parallel' only, else 0
  WallMicros aborted_at = 0;    ///< likewise
};
struct BeginPrepare {
  std::uint64_t prepare_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros prepared_at = 0;
  Xid xid = 0;
  std::string_view gid;
};
struct Prepare {
  std::uint64_t prepare_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros prepared_at = 0;
  Xid xid = 0;
  std::string_view gid;
};
struct CommitPrepared {
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros committed_at = 0;
  Xid xid = 0;
  std::string_view gid;
};
struct RollbackPrepared {
  std::uint64_t prepare_end_lsn = 0;
  std::uint64_t rollback_end_lsn = 0;
  WallMicros prepared_at = 0;
  WallMicros rolled_back_at = 0;
  Xid xid = 0;
  std::string_view gid;
};
struct StreamPrepare {
  std::uint64_t prepare_lsn = 0;
  std::uint64_t end_lsn = 0;
  WallMicros prepared_at = 0;
  Xid xid = 0;
  std::string_view gid;
};

using Message =
    std::variant<Begin, Commit, Origin, Relation, TypeMessage, Insert, Update, Delete, TruncateMessage,
                 LogicalMessage, StreamStart, StreamStop, StreamCommit, StreamAbort, BeginPrepare, Prepare,
                 CommitPrepared, RollbackPrepared, StreamPrepare>;

/// Parses one connection's messages in their order: it knows whether a stream block is open, because messages
/// carry a transaction id only inside of one. Allocates only until its storage has grown to the widest row.
/// Used from one thread.
///
/// Code::corruption with message kind and offset when a message does not follow its format to the last byte;
/// Code::unsupported, with its name, for a kind, tuple kind or flag that is not known.
class PgoutputParser {
 public:
  /// `message` is the payload of an XLogData message, after its 25 bytes of header.
  Result<Message> parse(std::span<const std::byte> message);

  bool in_stream() const { return in_stream_; }
  /// For a new START_REPLICATION on the same object.
  void reset() { in_stream_ = false; }

 private:
  class Reading;

  bool in_stream_ = false;
  std::vector<TupleValue> before_;
  std::vector<TupleValue> after_;
  std::vector<RelationColumn> columns_;
  std::vector<Oid> relations_;
};

}  // namespace maia::postgres
