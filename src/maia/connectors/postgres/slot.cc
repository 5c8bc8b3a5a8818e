// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/slot.h"

#include <fmt/format.h>

#include <charconv>

#include "maia/connectors/postgres/catalog.h"

namespace maia::postgres {
namespace {

template <class T>
Result<T> number(std::string_view text, std::string_view what) {
  T value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc{} && end == text.data() + text.size()) return value;
  return Error{Error::Code::corruption, Recovery::halt, fmt::format("the server sent what is no {}", what),
               ""};
}

/// Where each timeline up to `server.timeline` ended: lines of "<timeline>\t<LSN>\t<reason>" (PostgreSQL
/// documentation, "Streaming Replication Protocol", TIMELINE_HISTORY).
Result<std::optional<Lsn>> end_of_timeline(std::string_view history, std::uint32_t timeline) {
  while (!history.empty()) {
    const auto line = history.substr(0, history.find('\n'));
    history.remove_prefix(std::min(history.size(), line.size() + 1));
    const auto tab = line.find('\t');
    if (line.empty() || line.front() == '#' || tab == std::string_view::npos) continue;
    if (MAIA_TRY(number<std::uint32_t>(line.substr(0, tab), "timeline")) != timeline) continue;
    const auto rest = line.substr(tab + 1);
    return std::optional(MAIA_TRY(parse_lsn(rest.substr(0, rest.find('\t')))));
  }
  return std::optional<Lsn>{};
}

/// Slot creation waits for every transaction that is running; names the oldest.
std::string blocking_transaction(Connection& observer) {
  const auto rows = observer.query(
      "SELECT pid, usename, now() - xact_start FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT "
      "NULL AND "
      "pid <> pg_catalog.pg_backend_pid() ORDER BY xact_start LIMIT 1");
  if (!rows.ok() || rows->size() == 0) return "a transaction (perhaps a prepared one) is running";
  return fmt::format("the transaction of pid {} (user {}) has been running for {}", rows->text(0, 0),
                     rows->text(0, 1), rows->text(0, 2));
}

}  // namespace

Error lost_history(std::string_view reason, std::string why, std::string_view correct) {
  return Error{Error::Code::lost_history, Recovery::halt, std::move(why),
               fmt::format("either copy the tables again (`maia drop`, empty them at the destination, `maia "
                           "run`), or, {}, and run again",
                           correct),
               reason};
}

Error slot_dropped(std::string_view name, bool promoted) {
  constexpr std::string_view kPromoted =
      "; the server was a standby that has been promoted, and slots go along with that only from PostgreSQL "
      "17 "
      "on, where the standby synchronizes them";
  return lost_history("slot_dropped",
                      fmt::format("replication slot {} does not exist any more{}", name,
                                  promoted ? kPromoted : std::string_view()),
                      "if it has another name or is on another server, correct `slot` or `host`");
}

Result<ServerIdentity> identify(Connection& replication) {
  const auto rows = MAIA_TRY(replication.query("IDENTIFY_SYSTEM"));
  if (rows.size() != 1 || rows.columns() < 2) {
    return Error{Error::Code::corruption, Recovery::halt, "the server did not identify itself", ""};
  }
  return ServerIdentity{MAIA_TRY(number<std::uint64_t>(rows.text(0, 0), "system identifier")),
                        MAIA_TRY(number<std::uint32_t>(rows.text(0, 1), "timeline"))};
}

Status check_history(Connection& replication, const ServerIdentity& server, const LogPlace& place) {
  if (server.system != place.system) {
    return lost_history(
        "other_server",
        fmt::format("{} is another database system (identifier {}) than the one that was read "
                    "before ({})",
                    replication.where(), server.system, place.system),
        "if the name or address leads to the wrong server, correct it");
  }
  if (server.timeline == place.timeline) return {};
  std::optional<Lsn> end;
  if (server.timeline > place.timeline) {
    const auto rows = MAIA_TRY(replication.query(fmt::format("TIMELINE_HISTORY {}", server.timeline)));
    if (rows.size() == 1 && rows.columns() == 2)
      end = MAIA_TRY(end_of_timeline(rows.text(0, 1), place.timeline));
  }
  if (end && place.lsn <= *end) return {};
  return lost_history(
      "history_parted",
      fmt::format("the source's history parted before {}: it is on timeline {}, and we had read "
                  "timeline {} up to there; what was committed in between is lost at the source",
                  to_string(place.lsn), server.timeline, place.timeline),
      "if a server that has the whole history is still there, correct `host`");
}

Result<std::optional<Slot>> find_slot(Connection& connection, std::string_view name) {
  const auto version = connection.server_version();
  const std::string invalidation = version >= 170'000 ? "coalesce(invalidation_reason, '')"
                                   : version >= 160'000
                                       ? "CASE WHEN conflicting THEN 'conflict with recovery' ELSE '' END"
                                       : "''";
  const Parameter parameters[] = {std::string(name)};
  const auto rows = MAIA_TRY(connection.query(
      "SELECT coalesce(plugin, slot_type), coalesce(database, ''), temporary, coalesce(two_phase, false), "
      "coalesce(active_pid, 0), confirmed_flush_lsn, coalesce(wal_status, ''), " +
          invalidation +
          ", restart_lsn, a.application_name, coalesce(a.client_addr::text, 'the server itself'), "
          "a.backend_start::timestamptz(0) FROM pg_catalog.pg_replication_slots LEFT JOIN "
          "pg_catalog.pg_stat_activity a ON a.pid = active_pid WHERE slot_name = $1",
      parameters));
  if (rows.size() == 0) return std::optional<Slot>{};
  Slot slot{.name = std::string(name),
            .plugin = rows.str(0, 0),
            .database = rows.str(0, 1),
            .temporary = rows.boolean(0, 2),
            .two_phase = rows.boolean(0, 3),
            .active_pid = rows.integer(0, 4),
            .reader = fmt::format("server process {}", rows.integer(0, 4)),
            .confirmed = {},
            .restart = {},
            .wal_status = rows.str(0, 6),
            .invalidation = rows.str(0, 7)};
  if (!rows.is_null(0, 5)) slot.confirmed = MAIA_TRY(parse_lsn(rows.text(0, 5)));
  if (!rows.is_null(0, 9)) {
    slot.reader +=
        fmt::format(" ({} from {}, since {})", rows.text(0, 9), rows.text(0, 10), rows.text(0, 11));
  }
  if (!rows.is_null(0, 8)) slot.restart = MAIA_TRY(parse_lsn(rows.text(0, 8)));
  return std::optional(std::move(slot));
}

Error slot_begins_later(const Slot& slot, Lsn resume) {
  const auto where =
      fmt::format("begins at {}, after our position {}", to_string(*slot.confirmed), to_string(resume));
  constexpr std::string_view kCorrect =
      "if the destination was restored from a backup, restore one that is not older than the slot";
  // A new slot needs the log only from its making on, an old one still from before our position.
  if (slot.restart && *slot.restart <= resume) {
    return lost_history("slot_advanced",
                        fmt::format("replication slot {} {}: somebody else has read or advanced it, or the "
                                    "destination went back",
                                    slot.name, where),
                        kCorrect);
  }
  return lost_history(
      "slot_recreated",
      fmt::format("replication slot {} {}: it was dropped and made again, advanced by somebody "
                  "else, or the destination went back",
                  slot.name, where),
      kCorrect);
}

Error slot_in_use(const Slot& slot) {
  if (!slot.confirmed) {
    return {Error::Code::unavailable, Recovery::reconnect,
            fmt::format("replication slot {} is being made by server process {}", slot.name, slot.active_pid),
            "it is complete, or gone, once the transactions that run at the source have ended"};
  }
  return {Error::Code::unavailable, Recovery::reconnect,
          fmt::format("replication slot {} is being read by {}", slot.name, slot.reader),
          fmt::format("another MAIA may run this pipeline; to end the session: SELECT "
                      "pg_terminate_backend({});",
                      slot.active_pid)};
}

Status check_slot(const Slot& slot, std::string_view database, const std::optional<Lsn>& resume) {
  const auto unfit = [&](std::string why) {
    return Error{Error::Code::check_failed, Recovery::halt, "replication slot " + slot.name + " " + why,
                 "choose another name with `slot:`"};
  };
  if (slot.plugin != "pgoutput") return unfit("is of " + slot.plugin + ", not of pgoutput");
  if (slot.database != database) return unfit("belongs to database " + slot.database);
  if (slot.temporary) return unfit("is a temporary one of another session");
  if (slot.two_phase) return unfit("was made with two_phase, which MAIA does not read");
  // A slot has no confirmed place while a server process makes it, even if who asked for it was killed.
  if (!slot.confirmed && slot.active_pid != 0) return slot_in_use(slot);
  if (slot.wal_status == "lost" || !slot.invalidation.empty() || !slot.confirmed) {
    const auto why = slot.invalidation.empty() || slot.invalidation == "wal_removed"
                         ? "it would have kept more log than max_slot_wal_keep_size"
                     : slot.invalidation == "idle_timeout"
                         ? "nobody read it for longer than idle_replication_slot_timeout"
                         : slot.invalidation;
    return lost_history("slot_invalidated",
                        fmt::format("the source has invalidated replication slot {}: {}", slot.name, why),
                        "if it is the wrong slot, correct `slot`; raise the limit before it happens again");
  }
  if (resume && *slot.confirmed > *resume) return slot_begins_later(slot, *resume);
  if (slot.active_pid != 0) return slot_in_use(slot);
  return {};
}

std::string create_slot_sql(int server_version, std::string_view name) {
  return fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput'{});", name,
                     server_version >= 170'000 ? ", failover => true" : "");
}

Result<NewSlot> create_slot(Connection& replication, Connection& observer, const SlotWish& wish,
                            const Limits& limits) {
  const auto version = replication.server_version();
  const auto options = version < 150'000                       ? "EXPORT_SNAPSHOT"
                       : version >= 170'000 && !wish.temporary ? "(SNAPSHOT 'export', FAILOVER true)"
                                                               : "(SNAPSHOT 'export')";
  auto rows = replication.query(fmt::format("CREATE_REPLICATION_SLOT {} {}LOGICAL pgoutput {}",
                                            sql_name(wish.name), wish.temporary ? "TEMPORARY " : "", options),
                                limits);
  if (!rows.ok()) {
    auto error = std::move(rows).error();
    if (error.code == Error::Code::timeout) {
      error.message =
          "replication slot " + wish.name + " could not be made in time: " + blocking_transaction(observer);
      error.hint = "wait for it to end, or end it with pg_terminate_backend";
    } else if (replication.last_sqlstate() == "42501" || replication.last_sqlstate() == "28000") {
      error.hint = "ALTER ROLE <user> REPLICATION; or let an administrator run: " +
                   create_slot_sql(version, wish.name);
    } else if (replication.last_sqlstate() == "53400") {
      error.hint = "all slots are in use: raise max_replication_slots, or drop a slot that nobody needs";
    } else if (replication.last_sqlstate() == "55000") {
      error.hint = "ALTER SYSTEM SET wal_level = logical; and restart the server";
    }
    return std::move(error).in("make the replication slot");
  }
  if (rows->size() != 1 || rows->columns() < 3) {
    return Error{Error::Code::corruption, Recovery::halt,
                 "the server's answer about the new slot is not known", ""};
  }
  return NewSlot{MAIA_TRY(parse_lsn(rows->text(0, 1))), rows->str(0, 2)};
}

}  // namespace maia::postgres
