// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/connectors/mysql/gtid_set.h"
#include "maia/connectors/mysql/table_map.h"

namespace maia::mysql {

// The events of the binary logs of MySQL (5.7 to 9) and MariaDB (10.2 and later), as a server sends them.
// Views point into the event's bytes.

/// In front of every event.
struct EventHeader {
  std::uint32_t seconds = 0;  ///< when it was executed, since 1970
  std::uint8_t type = 0;
  std::uint32_t server = 0;
  std::uint32_t size = 0;  ///< with header and checksum
  std::uint32_t end = 0;   ///< in its file; 0: made up by the server for its reader
  std::uint16_t flags = 0;
};

/// The first event of each file; what follows is read as it says.
struct FormatDescription {
  std::string server_version;
  bool checksums = false;
  std::vector<std::uint8_t> post_header_sizes;  ///< by type, from 1 on
};
struct Rotate {
  std::uint64_t offset = 0;
  std::string_view file;
};
/// The transaction that follows, at MySQL.
struct Gtid {
  GtidSet::Origin origin;
  std::uint64_t number = 0;
  bool anonymous = false;         ///< the server gave none (gtid_mode is off)
  std::int64_t committed_at = 0;  ///< microseconds since 1970; 0: not told
};
/// The transaction that follows, at MariaDB.
struct DomainGtid {
  std::uint32_t domain = 0;
  std::uint32_t server = 0;  ///< the header has it
  std::uint64_t number = 0;
  bool standalone = false;  ///< one statement follows, and no commit
  bool prepares = false;    ///< an XA transaction, up to its prepare
};
struct Query {
  std::string_view database;
  std::string text;
};
/// The transaction has committed.
struct Xid {};
/// The rows so far wait for XA COMMIT or XA ROLLBACK; with `one_phase` they have committed.
struct XaPrepare {
  bool one_phase = false;
  std::string xid;  ///< as in XA COMMIT: X'67',X'62',1
};
enum class RowsKind : std::uint8_t { insert, update, remove };
struct RowsEvent {
  RowsKind kind = RowsKind::insert;
  std::uint64_t table = 0;
  bool ends_statement = false;  ///< tables are mapped anew after it
  bool partial_json = false;    ///< values of JSON may come as differences
  std::size_t columns = 0;
  ByteView before;  ///< bitmap of the columns that the image before the change has; updates and removals
  ByteView after;   ///< of the image after it; inserts and updates
  /// The images, one behind the other. A compressed event's are in `owned`.
  ByteView images;
  Bytes owned;
};
/// A transaction as a whole, compressed: its events without checksums.
struct Payload {
  Bytes events;
};
/// The server has nothing more to send. MySQL tells how far it has read.
struct Heartbeat {};
/// Nothing that concerns a reader of rows: comments of statements, lists of ids, random seeds, and events
/// that their writer has marked as not needed.
struct Nothing {};

using EventBody = std::variant<Nothing, FormatDescription, Rotate, Gtid, DomainGtid, Query, Xid, XaPrepare,
                               TableMap, RowsEvent, Payload, Heartbeat>;
struct Event {
  EventHeader header;
  EventBody body;
};

/// Reads events one after the other; remembers what the log says of itself. Used from one thread.
class EventParser {
 public:
  /// An event with its header, as it is in the log. Code::corruption if it does not follow its format or its
  /// checksum is wrong; Code::unsupported, with its name, if it is none that we know and cannot be left out.
  Result<Event> parse(ByteView event);
  /// One of the events of a Payload; the rest is left in `events`.
  Result<Event> parse_from_payload(ByteView& events);

 private:
  Result<EventBody> body(const EventHeader& header, ByteView content);
  Result<EventBody> rows(std::uint8_t type, ByteView content);

  bool checksums_ = false;
  bool described_ = false;
};

/// A name for messages: "TRANSACTION_PAYLOAD", "event 171".
std::string event_name(std::uint8_t type);

}  // namespace maia::mysql
