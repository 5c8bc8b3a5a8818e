// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/position.h"

namespace maia::postgres {

// The one table that MAIA keeps at a source, where it may:
//
//     maia.heartbeat (slot, beat, nonce, publication, written_at)     one row per replication slot
//
// Every few seconds the row gets the next number and a random nonce, and a message with both goes to the log
// in the same transaction. Positions carry the last beat that came through the log, so a source whose row is
// older than a position has gone back in time: restored from a backup or copied cold, with system identifier,
// timeline and slot all as they should be. `publication` is a PublicationMark.

struct HeartbeatRow {
  Beat beat;
  std::string publication;  ///< empty: nothing is known
};

/// Whether the row can be kept. Makes schema and table where they are missing and `may_create`; false where
/// the privilege is missing, and on a standby.
Result<bool> ensure_heartbeat(Connection& connection, bool may_create);
/// Whether it could, without changing anything.
Result<bool> may_beat(Connection& connection, bool may_create);
/// What an administrator runs so that it can be.
std::string heartbeat_sql(std::string_view user);

/// Nothing if there is no row, or no table.
Result<std::optional<HeartbeatRow>> read_heartbeat(Connection& connection, const std::string& slot);
/// Makes the row, or changes what it says of the publication.
Status remember_publication(Connection& connection, const std::string& slot, const std::string& mark);

/// Writes the beat after `known` to row and log. Nothing if the row's beat is not `known`.
struct Written {
  Beat beat;
  Lsn lsn = 0;
};
Result<std::optional<Written>> write_beat(Connection& connection, const std::string& slot, const Beat& known);

/// The beat that a message of the log tells of `slot`, if it does.
inline constexpr std::string_view kMessagePrefix = "maia";
std::optional<Beat> beat_of_message(std::string_view content, std::string_view slot);
/// The message that tells a slot's reader of a table that has joined its publication in the same transaction,
/// and the table's oid in it.
std::string joined_message(std::string_view slot, std::string_view oid);
std::optional<std::uint32_t> joined_of_message(std::string_view content, std::string_view slot);

/// Code::lost_history if the row is older than the beat of a position.
Status check_beat(const std::optional<HeartbeatRow>& row, const Beat& seen, std::string_view slot);

/// Removes the row, and with the last one the table, and the schema if that leaves it empty. What was
/// removed.
Result<std::vector<std::string>> drop_heartbeat(Connection& connection, const std::string& slot);

}  // namespace maia::postgres
