// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/pgoutput.h"

#include <fmt/format.h>

#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

/// Why a message cannot be read. The reader's failure (it ends early) comes before.
struct Objection {
  Error::Code code = Error::Code::corruption;
  std::string what;  ///< empty: none
};

WallMicros time_of(WireReader& reader, Objection& objection) {
  WallMicros micros = 0;
  if (__builtin_add_overflow(reader.number<std::int64_t>(), kEpochMicros, &micros)) {
    objection.what = "a time beyond all calendars";
  }
  return micros;
}

/// A byte of flags of which only those in `known` may be set.
std::uint8_t flags_of(WireReader& reader, std::uint8_t known, Objection& objection) {
  const auto flags = reader.number<std::uint8_t>();
  if ((flags & ~known) != 0) [[unlikely]] {
    objection = {Error::Code::unsupported, fmt::format("the unknown flags {:#04x}", flags)};
  }
  return flags;
}

}  // namespace

/// One message on its way: reads from the bytes, writes into the parser's storage.
class PgoutputParser::Reading {
 public:
  Reading(PgoutputParser& parser, std::string_view message) : parser_(parser), reader_(message) {}

  Result<Message> run();

 private:
  Message dispatch();
  Message begin();
  Message commit();
  Message origin();
  Message relation();
  Message type();
  Message insert();
  Message update();
  Message remove();
  Message truncate();
  Message logical_message();
  Message stream_start();
  Message stream_stop();
  Message stream_commit();
  Message stream_abort();
  template <class T>
  Message prepared(bool has_flags);
  Message commit_prepared();
  Message rollback_prepared();

  Xid running_xid() { return parser_.in_stream_ ? reader_.number<Xid>() : 0; }
  TupleView tuple(std::vector<TupleValue>& values);
  /// Not when the message has ended early: then nothing was there to be known.
  void unknown(std::string what) {
    if (!reader_.failed()) object(Error::Code::unsupported, std::move(what));
  }
  void object(Error::Code code, std::string what) {
    if (objection_.what.empty()) objection_ = {code, std::move(what)};
  }
  void only_outside_of_streams() {
    if (parser_.in_stream_) object(Error::Code::corruption, "its place inside of a stream block");
  }
  Error error() const;

  PgoutputParser& parser_;
  WireReader reader_;
  char kind_ = 0;
  Objection objection_;
};

Result<Message> PgoutputParser::parse(std::span<const std::byte> message) {
  return Reading(*this, as_chars(message)).run();
}

Result<Message> PgoutputParser::Reading::run() {
  kind_ = reader_.character();
  auto message = dispatch();
  if (!reader_.failed() && objection_.what.empty() && reader_.remaining() != 0) {
    object(Error::Code::corruption, fmt::format("{} bytes too many", reader_.remaining()));
  }
  if (reader_.failed() || !objection_.what.empty()) [[unlikely]]
    return error();
  if (kind_ == 'S') parser_.in_stream_ = true;
  if (kind_ == 'E') parser_.in_stream_ = false;
  return message;
}

Error PgoutputParser::Reading::error() const {
  const auto printable = kind_ > ' ' && kind_ < 0x7f;
  const auto kind =
      printable ? fmt::format("'{}'", kind_) : fmt::format("{:#04x}", static_cast<unsigned char>(kind_));
  const auto early = reader_.failed() && objection_.what.empty();
  return {.code = early ? Error::Code::corruption : objection_.code,
          .recovery = Recovery::halt,
          .message = fmt::format("replication message of kind {}: {} at byte {}", kind,
                                 early ? "ends early" : "has " + objection_.what, reader_.at()),
          .hint = !early && objection_.code == Error::Code::unsupported
                      ? "the server speaks a newer protocol than this version of MAIA; use a newer MAIA"
                      : ""};
}

Message PgoutputParser::Reading::dispatch() {
  switch (kind_) {
    case 'I': return insert();
    case 'U': return update();
    case 'D': return remove();
    case 'B': return begin();
    case 'C': return commit();
    case 'R': return relation();
    case 'Y': return type();
    case 'T': return truncate();
    case 'M': return logical_message();
    case 'O': return origin();
    case 'S': return stream_start();
    case 'E': return stream_stop();
    case 'c': return stream_commit();
    case 'A': return stream_abort();
    case 'b': return prepared<BeginPrepare>(false);
    case 'P': return prepared<Prepare>(true);
    case 'p': return prepared<StreamPrepare>(true);
    case 'K': return commit_prepared();
    case 'r': return rollback_prepared();
    default: break;
  }
  unknown("a kind that is not known");
  return {};
}

TupleView PgoutputParser::Reading::tuple(std::vector<TupleValue>& values) {
  const std::size_t count = reader_.number<std::uint16_t>();
  // Each value takes at least its kind byte; this bounds what a broken count can make us allocate.
  if (count > reader_.remaining()) [[unlikely]] {
    reader_.fail();
    return {};
  }
  values.resize(count);
  for (auto& value : values) {
    const auto kind = reader_.character();
    value.kind = TupleValue::Kind{kind};
    switch (value.kind) {
      case TupleValue::Kind::text:
      case TupleValue::Kind::binary: value.bytes = reader_.take(reader_.number<std::uint32_t>()); break;
      case TupleValue::Kind::null:
      case TupleValue::Kind::unchanged: value.bytes = {}; break;
      default:
        unknown(fmt::format("a value of unknown kind {:#04x}", static_cast<unsigned char>(kind)));
        return {};
    }
  }
  return values;
}

Message PgoutputParser::Reading::insert() {
  Insert message{.xid = running_xid(), .relation = reader_.number<Oid>()};
  if (const auto kind = reader_.character(); kind != 'N') [[unlikely]] {
    unknown("a tuple that is not the new row");
    return message;
  }
  message.after = tuple(parser_.after_);
  return message;
}

Message PgoutputParser::Reading::update() {
  Update message{.xid = running_xid(), .relation = reader_.number<Oid>()};
  auto kind = reader_.character();
  if (kind == 'K' || kind == 'O') {
    message.old_kind = OldTuple{kind};
    message.before = tuple(parser_.before_);
    kind = reader_.character();
  }
  if (kind != 'N') [[unlikely]] {
    unknown("a tuple that is neither the old nor the new row");
    return message;
  }
  message.after = tuple(parser_.after_);
  return message;
}

Message PgoutputParser::Reading::remove() {
  Delete message{.xid = running_xid(), .relation = reader_.number<Oid>()};
  const auto kind = reader_.character();
  if (kind != 'K' && kind != 'O') [[unlikely]] {
    unknown("a tuple that is not the old row");
    return message;
  }
  message.old_kind = OldTuple{kind};
  message.before = tuple(parser_.before_);
  return message;
}

Message PgoutputParser::Reading::begin() {
  only_outside_of_streams();
  return Begin{.final_lsn = reader_.number<std::uint64_t>(),
               .committed_at = time_of(reader_, objection_),
               .xid = reader_.number<Xid>()};
}

Message PgoutputParser::Reading::commit() {
  only_outside_of_streams();
  flags_of(reader_, 0, objection_);
  return Commit{.commit_lsn = reader_.number<std::uint64_t>(),
                .end_lsn = reader_.number<std::uint64_t>(),
                .committed_at = time_of(reader_, objection_)};
}

Message PgoutputParser::Reading::origin() {
  return Origin{.lsn = reader_.number<std::uint64_t>(), .name = reader_.text()};
}

Message PgoutputParser::Reading::relation() {
  constexpr std::uint8_t kInKey = 1;
  Relation message{.xid = running_xid(), .oid = reader_.number<Oid>(), .schema = reader_.text()};
  if (message.schema.empty()) message.schema = "pg_catalog";
  message.name = reader_.text();
  message.replica_identity = reader_.character();
  const std::size_t count = reader_.number<std::uint16_t>();
  auto& columns = parser_.columns_;
  columns.clear();
  for (std::size_t i = 0; i < count && !reader_.failed(); ++i) {
    columns.push_back({.in_key = flags_of(reader_, kInKey, objection_) == kInKey,
                       .name = reader_.text(),
                       .type_oid = reader_.number<Oid>(),
                       .typmod = reader_.number<std::int32_t>()});
  }
  if (std::string_view("dnfi").find(message.replica_identity) == std::string_view::npos) {
    unknown("an unknown replica identity");
  }
  message.columns = columns;
  return message;
}

Message PgoutputParser::Reading::type() {
  TypeMessage message{.xid = running_xid(), .oid = reader_.number<Oid>(), .schema = reader_.text()};
  if (message.schema.empty()) message.schema = "pg_catalog";
  message.name = reader_.text();
  return message;
}

Message PgoutputParser::Reading::truncate() {
  constexpr std::uint8_t kCascade = 1;
  constexpr std::uint8_t kRestartIdentity = 2;
  TruncateMessage message{.xid = running_xid()};
  const auto count = reader_.number<std::uint32_t>();
  const auto flags = flags_of(reader_, kCascade | kRestartIdentity, objection_);
  message.cascade = (flags & kCascade) != 0;
  message.restart_identity = (flags & kRestartIdentity) != 0;
  auto& relations = parser_.relations_;
  relations.clear();
  for (std::size_t i = 0; i < count && !reader_.failed(); ++i) relations.push_back(reader_.number<Oid>());
  message.relations = relations;
  return message;
}

Message PgoutputParser::Reading::logical_message() {
  constexpr std::uint8_t kTransactional = 1;
  LogicalMessage message{.xid = running_xid()};
  message.transactional = flags_of(reader_, kTransactional, objection_) == kTransactional;
  message.lsn = reader_.number<std::uint64_t>();
  message.prefix = reader_.text();
  message.content = reader_.take(reader_.number<std::uint32_t>());
  return message;
}

Message PgoutputParser::Reading::stream_start() {
  only_outside_of_streams();
  StreamStart message{.xid = reader_.number<Xid>()};
  message.first_segment = flags_of(reader_, 1, objection_) == 1;
  return message;
}

Message PgoutputParser::Reading::stream_stop() {
  if (!parser_.in_stream_) object(Error::Code::corruption, "no stream block to close");
  return StreamStop{};
}

Message PgoutputParser::Reading::stream_commit() {
  only_outside_of_streams();
  StreamCommit message{.xid = reader_.number<Xid>()};
  flags_of(reader_, 0, objection_);
  message.commit_lsn = reader_.number<std::uint64_t>();
  message.end_lsn = reader_.number<std::uint64_t>();
  message.committed_at = time_of(reader_, objection_);
  return message;
}

Message PgoutputParser::Reading::stream_abort() {
  only_outside_of_streams();
  StreamAbort message{.xid = reader_.number<Xid>(), .subxid = reader_.number<Xid>()};
  if (reader_.remaining() > 0) {
    message.abort_lsn = reader_.number<std::uint64_t>();
    message.aborted_at = time_of(reader_, objection_);
  }
  return message;
}

template <class T>
Message PgoutputParser::Reading::prepared(bool has_flags) {
  only_outside_of_streams();
  if (has_flags) flags_of(reader_, 0, objection_);
  return T{.prepare_lsn = reader_.number<std::uint64_t>(),
           .end_lsn = reader_.number<std::uint64_t>(),
           .prepared_at = time_of(reader_, objection_),
           .xid = reader_.number<Xid>(),
           .gid = reader_.text()};
}

Message PgoutputParser::Reading::commit_prepared() {
  only_outside_of_streams();
  flags_of(reader_, 0, objection_);
  return CommitPrepared{.commit_lsn = reader_.number<std::uint64_t>(),
                        .end_lsn = reader_.number<std::uint64_t>(),
                        .committed_at = time_of(reader_, objection_),
                        .xid = reader_.number<Xid>(),
                        .gid = reader_.text()};
}

Message PgoutputParser::Reading::rollback_prepared() {
  only_outside_of_streams();
  flags_of(reader_, 0, objection_);
  return RollbackPrepared{.prepare_end_lsn = reader_.number<std::uint64_t>(),
                          .rollback_end_lsn = reader_.number<std::uint64_t>(),
                          .prepared_at = time_of(reader_, objection_),
                          .rolled_back_at = time_of(reader_, objection_),
                          .xid = reader_.number<Xid>(),
                          .gid = reader_.text()};
}

}  // namespace maia::postgres
