// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/heartbeat.h"

#include <fmt/format.h>

#include <charconv>
#include <random>

#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/slot.h"

namespace maia::postgres {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS maia.heartbeat (slot text PRIMARY KEY, beat bigint NOT NULL, "
    "nonce text NOT NULL, publication text NOT NULL DEFAULT '', written_at timestamptz NOT NULL DEFAULT "
    "now());";

/// What follows the word and the slot's name, if the message begins with them.
std::optional<std::string_view> told_to(std::string_view slot, std::string_view word,
                                        std::string_view content) {
  if (!content.starts_with(word)) return {};
  content.remove_prefix(word.size());
  if (!content.starts_with(slot) || content.size() <= slot.size() || content[slot.size()] != ' ') return {};
  return content.substr(slot.size() + 1);
}

std::uint32_t random_nonce() {
  static std::random_device random;
  return random();
}

Result<bool> exists(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query("SELECT pg_catalog.to_regclass('maia.heartbeat') IS NOT NULL"));
  return rows.boolean(0, 0);
}

Result<bool> may_use(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query(
      "SELECT pg_catalog.has_schema_privilege('maia', 'USAGE') AND "
      "pg_catalog.has_table_privilege('maia.heartbeat', 'SELECT') AND "
      "pg_catalog.has_table_privilege('maia.heartbeat', 'INSERT') AND "
      "pg_catalog.has_table_privilege('maia.heartbeat', 'UPDATE') AND NOT pg_catalog.pg_is_in_recovery()"));
  return rows.boolean(0, 0);
}

Result<bool> may_make(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query(
      "SELECT NOT pg_catalog.pg_is_in_recovery() AND CASE WHEN pg_catalog.to_regnamespace('maia') IS NULL "
      "THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') "
      "ELSE pg_catalog.has_schema_privilege('maia', 'CREATE') END"));
  return rows.boolean(0, 0);
}

}  // namespace

std::string heartbeat_sql(std::string_view user) {
  return fmt::format(
      "CREATE SCHEMA IF NOT EXISTS maia; {} GRANT USAGE ON SCHEMA maia TO {}; GRANT SELECT, INSERT, UPDATE, "
      "DELETE ON maia.heartbeat TO {};",
      kTable, sql_name(user), sql_name(user));
}

Result<bool> may_beat(Connection& connection, bool may_create) {
  if (MAIA_TRY(exists(connection))) return may_use(connection);
  if (!may_create) return false;
  return may_make(connection);
}

Result<bool> ensure_heartbeat(Connection& connection, bool may_create) {
  if (MAIA_TRY(exists(connection))) return may_use(connection);
  if (!may_create || !MAIA_TRY(may_make(connection))) return false;
  // Two pipelines may come here at once; IF NOT EXISTS alone is not safe against that.
  auto made = connection.run(
      "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7809538712); "
      "CREATE SCHEMA IF NOT EXISTS maia; " +
      std::string(kTable) + " COMMIT");
  if (made.ok()) return true;
  if (made.error().recovery != Recovery::halt) return std::move(made).error();
  MAIA_TRY(connection.run("ROLLBACK"));
  return false;
}

Result<std::optional<HeartbeatRow>> read_heartbeat(Connection& connection, const std::string& slot) {
  if (!MAIA_TRY(exists(connection))) return std::optional<HeartbeatRow>{};
  const Parameter parameters[] = {slot};
  const auto rows = MAIA_TRY(
      connection.query("SELECT beat, nonce, publication FROM maia.heartbeat WHERE slot = $1", parameters));
  if (rows.size() == 0) return std::optional<HeartbeatRow>{};
  HeartbeatRow row;
  const auto beat = Beat::parse(fmt::format("{}-{}", rows.text(0, 0), rows.text(0, 1)));
  // What is no beat any more was changed by hand; it is as good as none.
  if (beat) row.beat = *beat;
  row.publication = rows.str(0, 2);
  return std::optional(std::move(row));
}

Status remember_publication(Connection& connection, const std::string& slot, const std::string& mark) {
  const Beat first{1, random_nonce()};
  const Parameter parameters[] = {slot, first.nonce_text(), mark};
  MAIA_TRY(connection.query(
      "INSERT INTO maia.heartbeat AS h (slot, beat, nonce, publication) VALUES ($1, 1, $2, $3) "
      "ON CONFLICT (slot) DO UPDATE SET publication = excluded.publication "
      "WHERE h.publication <> excluded.publication",
      parameters));
  return {};
}

Result<std::optional<Written>> write_beat(Connection& connection, const std::string& slot,
                                          const Beat& known) {
  const Beat next{known.number + 1, random_nonce()};
  const Parameter parameters[] = {slot, std::to_string(known.number), known.nonce_text(), next.nonce_text(),
                                  fmt::format("beat {} {}", slot, next.text())};
  // Transactional, so that its commit flushes everything before it.
  const auto rows = MAIA_TRY(connection.query(
      "WITH mine AS (UPDATE maia.heartbeat SET beat = beat + 1, nonce = $4, written_at = now() "
      "WHERE slot = $1 AND beat = $2 AND nonce = $3 RETURNING 1) "
      "SELECT pg_catalog.pg_logical_emit_message(true, 'maia', $5) FROM mine",
      parameters));
  if (rows.size() == 0) return std::optional<Written>{};
  return std::optional(Written{next, MAIA_TRY(parse_lsn(rows.text(0, 0)))});
}

std::optional<Beat> beat_of_message(std::string_view content, std::string_view slot) {
  const auto beat = told_to(slot, "beat ", content);
  return beat ? Beat::parse(*beat) : std::nullopt;
}

std::string joined_message(std::string_view slot, std::string_view oid) {
  return fmt::format("joined {} {}", slot, oid);
}

std::optional<std::uint32_t> joined_of_message(std::string_view content, std::string_view slot) {
  const auto oid = told_to(slot, "joined ", content);
  std::uint32_t value = 0;
  if (!oid || std::from_chars(oid->data(), oid->data() + oid->size(), value).ec != std::errc()) return {};
  return value;
}

Status check_beat(const std::optional<HeartbeatRow>& row, const Beat& seen, std::string_view slot) {
  if (seen.number == 0) return {};
  constexpr std::string_view kCorrect = "if another server has the later state, point `host` to it";
  if (!row) {
    return lost_history(
        "source_restored",
        fmt::format("the heartbeat of slot {} is gone from maia.heartbeat at the source, "
                    "although it had come through the log: the source was put back to an earlier "
                    "state, or somebody removed the row",
                    slot),
        fmt::format("{}; or if the row was only removed, put it back: INSERT INTO maia.heartbeat "
                    "(slot, beat, nonce) VALUES ('{}', {}, '{}');",
                    kCorrect, slot, seen.number, seen.nonce_text()));
  }
  const bool older = row->beat.number < seen.number;
  if (!older && (row->beat.number > seen.number || row->beat.nonce == seen.nonce)) return {};
  return lost_history(
      "source_restored",
      fmt::format(
          "the source has gone back in time, as if restored from a backup or replaced by an older copy: "
          "its heartbeat is {}, and {} had come through the log",
          row->beat.text(), seen.text()),
      std::string(kCorrect));
}

Result<std::vector<std::string>> drop_heartbeat(Connection& connection, const std::string& slot) {
  std::vector<std::string> removed;
  if (!MAIA_TRY(exists(connection)) || !MAIA_TRY(may_use(connection))) return removed;
  const Parameter parameters[] = {slot};
  const auto deleted = MAIA_TRY(connection.query("DELETE FROM maia.heartbeat WHERE slot = $1", parameters));
  if (deleted.affected() > 0) removed.push_back("heartbeat of " + slot);
  const auto left = MAIA_TRY(connection.query(
      "SELECT EXISTS (SELECT FROM maia.heartbeat) OR NOT pg_catalog.pg_has_role(relowner, 'USAGE') "
      "FROM pg_catalog.pg_class WHERE oid = 'maia.heartbeat'::regclass"));
  if (left.boolean(0, 0)) return removed;
  MAIA_TRY(connection.run("DROP TABLE maia.heartbeat"));
  const auto schema = MAIA_TRY(connection.query(
      "SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') AND NOT EXISTS (SELECT FROM pg_catalog.pg_class "
      "WHERE relnamespace = n.oid) FROM pg_catalog.pg_namespace n WHERE nspname = 'maia'"));
  // Whatever else is in it that has no pg_class row keeps it.
  if (schema.size() == 1 && schema.boolean(0, 0)) {
    const auto dropped = connection.run("DROP SCHEMA maia");
    if (!dropped.ok() && connection.broken()) return dropped.error();
  }
  return removed;
}

}  // namespace maia::postgres
