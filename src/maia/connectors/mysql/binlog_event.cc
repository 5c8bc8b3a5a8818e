// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/binlog_event.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <utility>

#include "maia/connectors/mysql/event_compression.h"
#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {
namespace {

constexpr std::size_t kHeaderSize = 19;
constexpr std::size_t kChecksumSize = 4;
constexpr std::uint16_t kIgnorable = 0x80;    // MySQL
constexpr std::uint16_t kSkippable = 0x8000;  // MariaDB

enum Type : std::uint8_t {
  kQuery = 2,
  kStop = 3,
  kRotate = 4,
  kIntvar = 5,
  kRand = 13,
  kUserVar = 14,
  kFormatDescription = 15,
  kXid = 16,
  kTableMap = 19,
  kIncident = 26,
  kHeartbeat = 27,
  kIgnorableEvent = 28,
  kRowsQuery = 29,
  kWriteRowsV1 = 23,
  kUpdateRowsV1 = 24,
  kDeleteRowsV1 = 25,
  kWriteRows = 30,
  kUpdateRows = 31,
  kDeleteRows = 32,
  kGtid = 33,
  kAnonymousGtid = 34,
  kPreviousGtids = 35,
  kTransactionContext = 36,
  kViewChange = 37,
  kXaPrepare = 38,
  kPartialUpdateRows = 39,
  kPayload = 40,
  kHeartbeatV2 = 41,
  kTaggedGtid = 42,
  kAnnotateRows = 160,
  kBinlogCheckpoint = 161,
  kDomainGtid = 162,
  kGtidList = 163,
  kStartEncryption = 164,
  kQueryCompressed = 165,
  kWriteRowsCompressedV1 = 166,
  kUpdateRowsCompressedV1 = 167,
  kDeleteRowsCompressedV1 = 168,
  kWriteRowsCompressed = 169,
  kUpdateRowsCompressed = 170,
  kDeleteRowsCompressed = 171,
};

constexpr std::pair<std::uint8_t, std::string_view> kNames[] = {
    {1, "START_EVENT_V3"},
    {kQuery, "QUERY"},
    {kRotate, "ROTATE"},
    {6, "LOAD"},
    {9, "APPEND_BLOCK"},
    {10, "EXEC_LOAD"},
    {11, "DELETE_FILE"},
    {12, "NEW_LOAD"},
    {15, "FORMAT_DESCRIPTION"},
    {17, "BEGIN_LOAD_QUERY"},
    {18, "EXECUTE_LOAD_QUERY"},
    {kTableMap, "TABLE_MAP"},
    {kIncident, "INCIDENT"},
    {kGtid, "GTID"},
    {kXaPrepare, "XA_PREPARE"},
    {kPayload, "TRANSACTION_PAYLOAD"},
    {kTaggedGtid, "GTID_TAGGED"},
    {kDomainGtid, "GTID (MariaDB)"},
    {kStartEncryption, "START_ENCRYPTION"},
};

Error malformed(std::uint8_t type, std::string_view what) {
  return Error{.code = Error::Code::corruption,
               .message = fmt::format("{} in the binary log {}", event_name(type), what),
               .hint = ""};
}

EventHeader read_header(WireReader& in) {
  EventHeader header;
  header.seconds = in.u32();
  header.type = in.u8();
  header.server = in.u32();
  header.size = in.u32();
  header.end = in.u32();
  header.flags = in.u16();
  return header;
}

/// A format description has a checksum if it says so, by the last byte of its content.
bool description_has_checksum(ByteView event) {
  return event.size() >= kHeaderSize + kChecksumSize + 1 &&
         event[event.size() - kChecksumSize - 1] == 1 /* CRC32 */;
}

bool checksum_fits(ByteView event) {
  const auto content = event.first(event.size() - kChecksumSize);
  const auto told = WireReader(event.last(kChecksumSize)).u32();
  return crc32_z(0, content.data(), content.size()) == told;
}

EventBody parse_description(WireReader& in) {
  FormatDescription description;
  in.u16();  // version of the format
  description.server_version = in.text(50);
  description.server_version.resize(std::min(description.server_version.find('\0'), std::size_t{50}));
  in.u32();
  in.u8();
  const auto rest = in.rest();
  if (rest.empty()) in.fail();
  if (in.ok()) {
    description.post_header_sizes.assign(rest.begin(), rest.end() - 1);
    description.checksums = rest.back() == 1;
  }
  return description;
}

EventBody parse_gtid(WireReader& in, bool anonymous) {
  Gtid gtid{.origin = {}, .number = 0, .anonymous = anonymous, .committed_at = 0};
  in.u8();  // flags
  const auto uuid = in.bytes(16);
  if (in.ok()) std::copy(uuid.begin(), uuid.end(), gtid.origin.uuid.begin());
  gtid.number = in.u64();
  if (in.left() >= 24) {  // MySQL 8: logical clock, then when it was committed here, and at first
    in.bytes(17);
    const auto here = in.little(7);
    constexpr std::uint64_t kHasOriginal = std::uint64_t{1} << 55;
    const auto first = (here & kHasOriginal) != 0 ? in.little(7) : here;
    gtid.committed_at = static_cast<std::int64_t>(first);
  }
  return gtid;
}

std::int64_t zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// GTID_TAGGED: numbered fields, of which unknown ones at the end may be left out.
EventBody parse_tagged_gtid(WireReader& in) {
  Gtid gtid;
  enum Field : std::uint8_t { kFlags, kUuid, kNumber, kTag, kParent, kSequence, kHere, kFirst, kKnown };
  in.compact();  // version
  in.compact();  // size
  if (in.compact() > 12) in.fail();
  while (in.ok() && in.left() > 0) {
    switch (in.compact()) {
      case kFlags: in.compact(); break;
      case kUuid:
        for (auto& byte : gtid.origin.uuid) byte = static_cast<std::uint8_t>(in.compact());
        break;
      case kNumber: gtid.number = static_cast<std::uint64_t>(zigzag(in.compact())); break;
      case kTag: gtid.origin.tag = in.text(in.compact()); break;
      case kParent:
      case kSequence: in.compact(); break;
      case kHere: gtid.committed_at = static_cast<std::int64_t>(in.compact()); break;
      case kFirst: gtid.committed_at = static_cast<std::int64_t>(in.compact()); break;
      default: in.rest();
    }
  }
  return gtid;
}

EventBody parse_domain_gtid(WireReader& in) {
  constexpr std::uint8_t kStandalone = 1, kPrepares = 64;
  DomainGtid gtid;
  gtid.number = in.u64();
  gtid.domain = in.u32();
  const auto flags = in.u8();
  gtid.standalone = (flags & kStandalone) != 0;
  gtid.prepares = (flags & kPrepares) != 0;
  return gtid;
}

Result<EventBody> parse_query(WireReader& in, bool compressed) {
  Query query;
  in.bytes(8);  // session, seconds
  const auto database = in.u8();
  in.u16();  // error
  in.bytes(in.u16());
  query.database = in.text(database);
  in.u8();
  const auto text = in.rest();
  if (!in.ok()) return EventBody(std::move(query));
  if (!compressed) {
    query.text = as_text(text);
  } else {
    const auto plain = MAIA_TRY(unpack_mariadb(text));
    query.text = as_text(plain);
  }
  return EventBody(std::move(query));
}

EventBody parse_xa_prepare(WireReader& in) {
  XaPrepare prepare;
  prepare.one_phase = in.u8() != 0;
  const auto format = in.u32();
  const auto global = in.u32();
  const auto branch = in.u32();
  const auto hex = [](ByteView bytes) {
    std::string text = "x'";
    for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
    return text + "'";
  };
  prepare.xid = hex(in.bytes(global));
  prepare.xid += "," + hex(in.bytes(branch)) + fmt::format(",{}", format);
  return prepare;
}

Result<EventBody> parse_payload(WireReader& in) {
  enum Field : std::uint8_t { kEnd, kSize, kCompression, kPlainSize };
  std::uint64_t size = 0, compression = 0, plain_size = 0;
  for (;;) {
    const auto field = in.packed();
    if (!in.ok() || field == kEnd) break;
    WireReader value(in.bytes(in.packed()));
    const auto number = value.packed();
    if (!value.ok()) in.fail();
    if (field == kSize) size = number;
    if (field == kCompression) compression = number;
    if (field == kPlainSize) plain_size = number;
  }
  const auto packed = in.bytes(size);
  if (!in.ok()) return EventBody();
  Payload payload;
  constexpr std::uint64_t kZstd = 0, kPlain = 255;
  if (compression == kPlain) {
    payload.events.assign(packed.begin(), packed.end());
  } else if (compression == kZstd) {
    payload.events = MAIA_TRY(unpack_zstd(packed, plain_size));
  } else {
    return Error{.code = Error::Code::unsupported,
                 .message = fmt::format("compression {} of a transaction is not known", compression)};
  }
  return EventBody(std::move(payload));
}

}  // namespace

std::string event_name(std::uint8_t type) {
  for (const auto& [number, name] : kNames) {
    if (number == type) return std::string(name);
  }
  return fmt::format("event {}", type);
}

Result<Event> EventParser::parse(ByteView event) {
  WireReader in(event);
  Event out;
  out.header = read_header(in);
  if (!in.ok() || out.header.size != event.size()) {
    return malformed(out.header.type, "is not as long as it says");
  }
  const bool describes = out.header.type == kFormatDescription;
  const bool has_checksum = describes ? description_has_checksum(event) : checksums_;
  auto content = in.rest();
  if (has_checksum) {
    if (content.size() < kChecksumSize || !checksum_fits(event)) {
      return malformed(out.header.type, "has a wrong checksum");
    }
    content = content.first(content.size() - kChecksumSize);
  } else if (describes && content.size() > kChecksumSize) {
    content = content.first(content.size() - kChecksumSize);  // room for it is always there
  }
  out.body = MAIA_TRY(body(out.header, content));
  if (const auto* description = std::get_if<FormatDescription>(&out.body)) {
    checksums_ = description->checksums;
    described_ = true;
  }
  return out;
}

Result<Event> EventParser::parse_from_payload(ByteView& events) {
  WireReader in(events);
  Event out;
  out.header = read_header(in);
  if (!in.ok() || out.header.size < kHeaderSize || out.header.size > events.size()) {
    return malformed(out.header.type, "is not as long as its transaction says");
  }
  if (out.header.type == kPayload) return malformed(out.header.type, "lies within another");
  const auto content = events.first(out.header.size).subspan(kHeaderSize);
  events = events.subspan(out.header.size);
  out.body = MAIA_TRY(body(out.header, content));
  return out;
}

Result<EventBody> EventParser::body(const EventHeader& header, ByteView content) {
  const auto type = header.type;
  WireReader in(content);
  const auto complete = [&](Result<EventBody> body) -> Result<EventBody> {
    if (body.ok() && !in.ok()) return malformed(type, "ends too early");
    return body;
  };
  switch (type) {
    case kQuery:
    case kQueryCompressed: return complete(parse_query(in, type == kQueryCompressed));
    case kRotate: {
      Rotate rotate;
      rotate.offset = in.u64();
      rotate.file = as_text(in.rest());
      return complete(EventBody(rotate));
    }
    case kFormatDescription: return complete(parse_description(in));
    case kXid: return EventBody(Xid{});
    case kTableMap: return EventBody(MAIA_TRY(parse_table_map(content)));
    case kHeartbeat:
    case kHeartbeatV2: return EventBody(Heartbeat{});
    case kGtid:
    case kAnonymousGtid: return complete(parse_gtid(in, type == kAnonymousGtid));
    case kTaggedGtid: return complete(parse_tagged_gtid(in));
    case kDomainGtid: return complete(parse_domain_gtid(in));
    case kXaPrepare: return complete(parse_xa_prepare(in));
    case kPayload: return complete(parse_payload(in));
    case kStop:
    case kIntvar:
    case kRand:
    case kUserVar:
    case kIgnorableEvent:
    case kRowsQuery:
    case kPreviousGtids:
    case kTransactionContext:
    case kViewChange:
    case kAnnotateRows:
    case kBinlogCheckpoint:
    case kGtidList:
    case kStartEncryption:  // what the server sends is not encrypted
      return EventBody();
    default: break;
  }
  const bool has_rows = (type >= kWriteRowsV1 && type <= kDeleteRowsV1) || type == kPartialUpdateRows ||
                        (type >= kWriteRows && type <= kDeleteRows) ||
                        (type >= kWriteRowsCompressedV1 && type <= kDeleteRowsCompressed);
  if (has_rows) return rows(type, content);
  const bool of_mariadb = type >= kAnnotateRows;
  if ((header.flags & (of_mariadb ? kSkippable : kIgnorable)) != 0) return EventBody();
  return Error{.code = Error::Code::unsupported,
               .message = fmt::format("{} in the binary log is not known", event_name(type)),
               .hint = type == kIncident
                           ? "the server says that its log may lack changes; copy the tables anew"
                           : "tell the makers of MAIA which server has written it"};
}

Result<EventBody> EventParser::rows(std::uint8_t type, ByteView content) {
  RowsEvent out;
  WireReader in(content);
  const bool compressed = type >= kWriteRowsCompressedV1;
  const bool first_version =
      type <= kDeleteRowsV1 || (type >= kWriteRowsCompressedV1 && type <= kDeleteRowsCompressedV1);
  out.partial_json = type == kPartialUpdateRows;
  if (!out.partial_json) {
    constexpr std::array kKinds = {RowsKind::insert, RowsKind::update, RowsKind::remove};
    const auto first = compressed      ? (first_version ? kWriteRowsCompressedV1 : kWriteRowsCompressed)
                       : first_version ? kWriteRowsV1
                                       : kWriteRows;
    out.kind = kKinds[type - first];
  } else {
    out.kind = RowsKind::update;
  }
  out.table = in.little(6);
  out.ends_statement = (in.u16() & 1) != 0;
  if (!first_version) {
    const auto extra = in.u16();
    if (extra < 2) in.fail();
    in.bytes(extra - 2U);
  }
  out.columns = in.packed();
  const auto bitmap = (std::uint64_t{out.columns} + 7) / 8;
  if (out.kind != RowsKind::insert) out.before = in.bytes(bitmap);
  if (out.kind != RowsKind::remove) out.after = in.bytes(bitmap);
  out.images = in.rest();
  if (!in.ok()) return malformed(type, "ends too early");
  if (compressed) {
    out.owned = MAIA_TRY(unpack_mariadb(out.images));
    out.images = out.owned;
  }
  return EventBody(std::move(out));
}

}  // namespace maia::mysql
