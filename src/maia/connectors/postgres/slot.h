// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/position.h"

namespace maia::postgres {

/// Who a server is, now (IDENTIFY_SYSTEM).
struct ServerIdentity {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;
  LogPlace at(Lsn lsn) const { return {system, timeline, lsn}; }
};
Result<ServerIdentity> identify(Connection& replication);

/// Checks that the server's history contains `place`: same system, and the same timeline or one that branched
/// off from it later than there. Code::lost_history otherwise.
Status check_history(Connection& replication, const ServerIdentity& server, const LogPlace& place);

/// A replication slot as it is.
struct Slot {
  std::string name;
  std::string plugin;
  std::string database;
  bool temporary = false;
  bool two_phase = false;
  std::int64_t active_pid = 0;  ///< 0: nobody reads it
  std::string reader;  ///< "server process 4711 (maia shop from 10.0.0.7, since 2026-11-25 00:05:10+00)"
  std::optional<Lsn> confirmed;
  std::optional<Lsn> restart;
  std::string wal_status;  ///< reserved, extended, unreserved, lost
  std::string invalidation;
};
Result<std::optional<Slot>> find_slot(Connection& connection, std::string_view name);

/// Whether the slot can give everything after `resume` (nothing: everything after its own place). Its errors:
/// Code::lost_history if not, with the two ways on; Code::unavailable while somebody else reads it;
/// Code::check_failed if it is no pgoutput slot of this database.
Status check_slot(const Slot& slot, std::string_view database, const std::optional<Lsn>& resume);

/// The error of a slot that a server process makes or reads.
Error slot_in_use(const Slot& slot);

/// What was lost, by a word for machines and a sentence, and the two ways on, of which `correct` is the
/// second
/// ("if ..., do ..."); "and run again" follows it.
Error lost_history(std::string_view reason, std::string why, std::string_view correct);
/// The error of a slot that does not exist any more; `promoted`: on a server that was a standby before.
Error slot_dropped(std::string_view name, bool promoted);

/// The error of a slot that somebody has moved past our position, or made again.
Error slot_begins_later(const Slot& slot, Lsn resume);

/// A slot that was made just now, with the snapshot that it exported. The snapshot lives until the next
/// command on `replication`.
struct NewSlot {
  Lsn consistent = 0;
  std::string snapshot;
};
/// A permanent slot survives a switch to a standby where the server can do that (17 and later). `observer` is
/// an ordinary session, asked who blocks when the slot is not ready in time.
struct SlotWish {
  std::string name;
  bool temporary = false;
};
Result<NewSlot> create_slot(Connection& replication, Connection& observer, const SlotWish& wish,
                            const Limits& limits);
/// The statement for a hint.
std::string create_slot_sql(int server_version, std::string_view name);

}  // namespace maia::postgres
