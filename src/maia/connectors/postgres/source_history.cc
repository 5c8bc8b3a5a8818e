// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "maia/base/log.h"
#include "maia/connectors/postgres/source.h"

namespace maia::postgres {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

/// The end of the log of a server that writes one; nothing on a standby, whose replay may begin anew.
Result<std::optional<Lsn>> end_of_log(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query(
      "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_flush_lsn() END"));
  if (rows.is_null(0, 0)) return std::optional<Lsn>{};
  return std::optional(MAIA_TRY(parse_lsn(rows.text(0, 0))));
}

}  // namespace

Status PostgresSource::check_history(Connection& replication, const LogPlace& place, milliseconds patience) {
  auto& connection = *MAIA_TRY(session());
  MAIA_TRY(postgres::check_history(replication, *server_, place));
  const auto end = MAIA_TRY(end_of_log(connection));
  if (end && *end < place.lsn) {
    return lost_history(
        "source_restored",
        fmt::format("the source's log ends at {}, before our position {}: the source was restored "
                    "from a backup or replaced by an older copy",
                    to_string(*end), to_string(place.lsn)),
        "if another server has the later state, point `host` to it");
  }
  const auto row = MAIA_TRY(read_heartbeat(connection, config_.slot));
  MAIA_TRY(check_beat(row, place.beat, config_.slot));
  const bool promoted = server_->timeline > place.timeline;
  const auto slot = MAIA_TRY(find_slot(connection, config_.slot));
  if (!slot) return slot_dropped(config_.slot, promoted);
  if (!MAIA_TRY(await_slot(*slot, place.lsn, patience))) return slot_dropped(config_.slot, promoted);
  auto before = row ? PublicationMark::parse(row->publication) : std::optional<PublicationMark>{};
  const auto tables = MAIA_TRY(selection(connection));
  const auto wanted = [&](const TableName& table) { return tables.includes(table); };
  // What the settings no longer select is not missed.
  if (before) std::erase_if(before->tables, [&](const auto& each) { return !wanted(each.second.name); });
  const auto now = MAIA_TRY(read_publication_mark(connection, config_.publication, wanted));
  if (before || !now) {
    return check_publication(connection, {config_.publication, config_.slot},
                             before.value_or(PublicationMark{}), now);
  }
  return {};
}

Result<std::optional<Slot>> PostgresSource::await_slot(const Slot& slot, const std::optional<Lsn>& resume,
                                                       milliseconds patience) {
  auto& connection = *MAIA_TRY(session());
  const auto until = Steady::now() + patience;
  auto state = std::optional(slot);
  while (state) {
    auto checked = check_slot(*state, config_.connection.database, resume);
    if (checked.ok()) break;
    if (checked.error().code != Error::Code::unavailable) return std::move(checked).error();
    if (Steady::now() >= until) return MAIA_TRY(limit_waiting(std::move(checked).error()));
    std::this_thread::sleep_for(milliseconds{100});
    state = MAIA_TRY(find_slot(connection, config_.slot));
  }
  busy_since_.reset();
  return state;
}

Result<bool> PostgresSource::drop_slot() {
  auto& connection = *MAIA_TRY(session());
  const auto until = Steady::now() + kReleasePatience;
  auto slot = MAIA_TRY(find_slot(connection, config_.slot));
  // Whether a session is ours and only about to end, or somebody else's: nobody is thrown out.
  while (slot && slot->active_pid != 0) {
    if (Steady::now() >= until) return MAIA_TRY(limit_waiting(slot_in_use(*slot)));
    std::this_thread::sleep_for(milliseconds{100});
    slot = MAIA_TRY(find_slot(connection, config_.slot));
  }
  busy_since_.reset();
  if (!slot) return false;
  const Parameter parameters[] = {config_.slot};
  MAIA_TRY(connection.query("SELECT pg_catalog.pg_drop_replication_slot($1)", parameters));
  return true;
}

Result<Error> PostgresSource::limit_waiting(Error busy) {
  const auto now = Steady::now();
  if (!busy_since_) busy_since_ = now;
  // The server ends a session that it does not hear of for this long; 0: never.
  auto& connection = *MAIA_TRY(session());
  const auto setting = MAIA_TRY(
      connection.query("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'"));
  constexpr milliseconds kUsual{60'000};
  const milliseconds timeout{setting.size() == 1 ? setting.integer(0, 0) : 0};
  const auto limit =
      std::max<milliseconds>(2 * (timeout.count() > 0 ? timeout : kUsual), milliseconds{10'000});
  if (now - *busy_since_ < limit) return busy;
  busy.recovery = Recovery::halt;
  busy.message +=
      fmt::format(", still after {} s", std::chrono::ceil<std::chrono::seconds>(now - *busy_since_).count());
  return busy;
}

Result<PublicationMark> PostgresSource::publication_mark() {
  auto& connection = *MAIA_TRY(session());
  const auto tables = MAIA_TRY(selection(connection));
  auto mark = MAIA_TRY(read_publication_mark(connection, config_.publication,
                                             [&](const TableName& table) { return tables.includes(table); }));
  return std::move(mark).value_or(PublicationMark{});
}

Status PostgresSource::begin_heartbeat() {
  auto& connection = *MAIA_TRY(session());
  beats_ = MAIA_TRY(ensure_heartbeat(connection, config_.create_missing));
  beat_ = {};
  if (beats_) {
    if (const auto row = MAIA_TRY(read_heartbeat(connection, config_.slot))) beat_ = row->beat;
  } else if (!said_silent_) {
    said_silent_ = true;
    log::warning(
        "no heartbeat can be written at the source, so a source that goes back in time is only seen by "
        "its system identifier, timeline and slot",
        {{"pipeline", pipeline_}, {"hint", heartbeat_sql(config_.connection.user)}});
  }
  return {};
}

Status PostgresSource::remember_publication(const PublicationMark& mark) {
  if (!beats_) return {};
  auto& connection = *MAIA_TRY(session());
  MAIA_TRY(postgres::remember_publication(connection, config_.slot, mark.text()));
  if (const auto row = MAIA_TRY(read_heartbeat(connection, config_.slot))) beat_ = row->beat;
  return {};
}

Result<Lsn> PostgresSource::emit_message(const std::string& content) {
  auto& connection = *MAIA_TRY(session());
  const Parameter parameters[] = {content};
  // Transactional, so that its commit flushes everything before it.
  const auto rows =
      MAIA_TRY(connection.query("SELECT pg_catalog.pg_logical_emit_message(true, 'maia', $1)", parameters));
  return parse_lsn(rows.text(0, 0));
}

Result<Source::Prepared> PostgresSource::begin_anew() {
  exporter_.reset();
  auto& connection = *MAIA_TRY(session());
  MAIA_TRY(begin_heartbeat());
  if (!config_.create_missing && MAIA_TRY(find_slot(connection, config_.slot))) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 "replication slot " + config_.slot + " has to be made again",
                 fmt::format("SELECT pg_drop_replication_slot('{}'); {}", config_.slot,
                             create_slot_sql(connection.server_version(), config_.slot))};
  }
  MAIA_TRY(drop_slot());
  if (beats_) MAIA_TRY(postgres::remember_publication(connection, config_.slot, ""));
  return prepare({});
}

Status PostgresSource::heartbeat() {
  auto& connection = *MAIA_TRY(session());
  if (beats_ && beat_.number > 0) {
    const auto written = MAIA_TRY(write_beat(connection, config_.slot, beat_));
    if (written) {
      beat_ = written->beat;
      notes_->server_end = written->lsn;
      return {};
    }
    // The session may have come to another server, or somebody has changed the row.
    const auto row = MAIA_TRY(read_heartbeat(connection, config_.slot));
    MAIA_TRY(check_beat(row, beat_, config_.slot));
    beat_ = row->beat;
    return {};
  }
  // On a standby, or without the privilege, there is no sign of life; the server's own records move the
  // position.
  if (const auto lsn = emit_message("heartbeat"); lsn.ok()) notes_->server_end = *lsn;
  return {};
}

}  // namespace maia::postgres
