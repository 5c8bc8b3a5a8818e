// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/check.h"

#include <fmt/format.h>

#include <map>

#include "maia/connectors/postgres/heartbeat.h"
#include "maia/connectors/postgres/publication.h"
#include "maia/connectors/postgres/slot.h"

namespace maia::postgres {
namespace {

using Level = Finding::Level;

/// First minor releases with the fixes of 2025 for changes that logical decoding lost when a publication was
/// altered beside running transactions.
constexpr std::pair<int, int> kFixedMinors[] = {{14, 19}, {15, 14}, {16, 10}, {17, 6}};

/// Collects findings about one server.
class CaptureCheck {
 public:
  CaptureCheck(Connection& connection, const SourceConfig& config, std::span<const SourceTable> tables)
      : connection_(connection), config_(config), tables_(tables), user_(sql_name(config.connection.user)) {}

  Result<Findings> run() {
    check_version();
    MAIA_TRY(read_settings());
    check_log();
    check_retention();
    MAIA_TRY(check_role());
    MAIA_TRY(check_room());
    MAIA_TRY(check_publication());
    MAIA_TRY(check_slot_state());
    MAIA_TRY(check_heartbeat());
    MAIA_TRY(check_tables());
    return std::move(findings_);
  }

 private:
  void add(Level level, std::string what, std::string why = {}, std::string fix = {}) {
    findings_.push_back({level, std::move(what), std::move(why), std::move(fix)});
  }

  void check_version() {
    const int version = connection_.server_version();
    const int major = version / 10'000, minor = version % 10'000;
    if (major < 14) {
      add(Level::error, fmt::format("the server is PostgreSQL {}", major), "MAIA reads 14 and later",
          "upgrade the server");
      return;
    }
    for (const auto& [of, fixed] : kFixedMinors) {
      if (of != major || minor >= fixed) continue;
      add(Level::warning, fmt::format("the server is PostgreSQL {}.{}", major, minor),
          "before the fixes of 2025 the server itself can lose changes of transactions that run while a "
          "publication "
          "is altered",
          fmt::format("update to {}.{} or later", major, fixed));
      return;
    }
    add(Level::ok, fmt::format("the server is PostgreSQL {}.{}", major, minor));
  }

  Status read_settings() {
    const auto rows = MAIA_TRY(connection_.query(
        "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('wal_level', "
        "'max_slot_wal_keep_size', "
        "'wal_sender_timeout', 'idle_replication_slot_timeout', 'max_replication_slots', 'max_wal_senders', "
        "'server_encoding')"));
    for (std::size_t r = 0; r < rows.size(); ++r) settings_[rows.str(r, 0)] = rows.str(r, 1);
    return {};
  }
  std::int64_t number(const std::string& setting) {
    return std::strtoll(settings_[setting].c_str(), nullptr, 10);
  }

  void check_log() {
    const auto& level = settings_["wal_level"];
    if (level == "logical") {
      add(Level::ok, "wal_level is logical");
    } else {
      add(Level::error, "wal_level is " + level + "; logical replication needs logical",
          "the log does not hold what changes are made of",
          "ALTER SYSTEM SET wal_level = logical; then restart the server");
    }
    if (settings_["server_encoding"] == "SQL_ASCII") {
      add(Level::warning, "the database's encoding is SQL_ASCII",
          "nothing guarantees that its text is valid in any encoding; rows with other than UTF-8 are "
          "refused");
    }
    const auto timeout = number("wal_sender_timeout");
    if (timeout > 0 && timeout < 5'000) {
      add(Level::warning, fmt::format("wal_sender_timeout is {} ms", timeout),
          "the server ends replication when it hears nothing for that long; a short pause is enough",
          "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf();");
    }
  }

  void check_retention() {
    const auto keep = number("max_slot_wal_keep_size");
    if (keep < 0) {
      add(Level::warning, "max_slot_wal_keep_size is not limited",
          "while MAIA is stopped, its slot keeps the server's log, until the disk is full",
          "ALTER SYSTEM SET max_slot_wal_keep_size = '<what the disk can spare>'; SELECT pg_reload_conf();");
    } else {
      add(Level::ok,
          fmt::format("a slot keeps at most {} MB of log; one that falls further behind is lost", keep));
    }
    const auto idle = number("idle_replication_slot_timeout");
    if (idle > 0) {
      add(Level::warning, fmt::format("idle_replication_slot_timeout is {} s", idle),
          "a slot that is not read for that long is invalidated, and the tables have to be copied again",
          "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();");
    }
  }

  Status check_role() {
    const auto rows = MAIA_TRY(connection_.query(
        "SELECT rolreplication, rolsuper, rolbypassrls, "
        "pg_catalog.has_database_privilege(pg_catalog.current_database(), "
        "'CREATE'), pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_roles WHERE rolname = current_user"));
    superuser_ = rows.boolean(0, 1);
    bypasses_rls_ = superuser_ || rows.boolean(0, 2);
    may_create_ = superuser_ || rows.boolean(0, 3);
    if (rows.boolean(0, 0) || superuser_) {
      add(Level::ok, "the user may replicate");
    } else {
      add(Level::error, "the user may not replicate", "only a role with REPLICATION can read a slot",
          "ALTER ROLE " + user_ + " REPLICATION;");
    }
    if (rows.boolean(0, 4)) {
      add(Level::warning, "the server is a standby",
          "publication and heartbeat need the primary; a slot here is lost if the standby falls behind", "");
    }
    return {};
  }

  Status check_room() {
    const auto rows = MAIA_TRY(connection_.query(
        "SELECT (SELECT count(*) FROM pg_catalog.pg_replication_slots), (SELECT count(*) FROM "
        "pg_catalog.pg_stat_replication)"));
    const auto room = [&](std::string_view name, std::int64_t used, std::int64_t needed,
                          std::string_view for_what) {
      const auto all = number(std::string(name));
      if (all - used >= needed) {
        add(Level::ok, fmt::format("{} of {} are in use ({})", used, all, name));
        return;
      }
      add(Level::error, fmt::format("{} of {} are in use ({})", used, all, name),
          fmt::format("MAIA needs {} more: {}", needed, for_what),
          fmt::format("ALTER SYSTEM SET {} = {}; then restart the server", name, used + needed + 2));
    };
    const auto slot = MAIA_TRY(find_slot(connection_, config_.slot));
    room("max_replication_slots", rows.integer(0, 0), slot ? 1 : 2,
         "one for the stream, one while tables are copied");
    room("max_wal_senders", rows.integer(0, 1), 2, "one for the stream, one while tables are copied");
    return {};
  }

  Status check_publication() {
    const auto publication = MAIA_TRY(find_publication(connection_, config_.publication));
    const auto name = "publication " + config_.publication;
    std::vector<SourceTable> good;
    for (const auto& table : tables_) {
      if (table.problem.empty()) good.push_back(table);
    }
    if (publication) {
      if (publication->publishes_all) {
        add(Level::ok, name + " exists");
      } else {
        add(Level::error, name + " leaves out some operations",
            "the destination would keep rows that are gone",
            "ALTER PUBLICATION " + sql_name(config_.publication) +
                " SET (publish = 'insert, update, delete, truncate');");
      }
      return {};
    }
    const auto sql = create_publication_sql(connection_.server_version(), config_.publication, good);
    if (!config_.create_missing) {
      add(Level::error, name + " does not exist", "`create_missing` is false, so MAIA does not make it", sql);
    } else if (!may_create_) {
      add(Level::error, name + " does not exist, and the user may not make it", "",
          "GRANT CREATE ON DATABASE " + sql_name(config_.connection.database) + " TO " + user_ +
              "; or let an administrator run: " + sql);
    } else {
      add(Level::ok, name + " will be made");
    }
    return {};
  }

  Status check_heartbeat() {
    const auto there = MAIA_TRY(may_beat(connection_, config_.create_missing));
    if (there) {
      add(Level::ok, "a heartbeat can be kept in maia.heartbeat");
    } else {
      add(Level::warning, "no heartbeat can be kept at the source",
          "a source that goes back in time, restored from a backup or replaced by an older copy, is then "
          "only "
          "seen by its system identifier, timeline and slot",
          heartbeat_sql(config_.connection.user));
    }
    return {};
  }

  Status check_slot_state() {
    const auto slot = MAIA_TRY(find_slot(connection_, config_.slot));
    if (!slot) {
      if (config_.create_missing) {
        add(Level::ok, "replication slot " + config_.slot + " will be made");
      } else {
        add(Level::error, "replication slot " + config_.slot + " does not exist",
            "`create_missing` is false, so MAIA does not make it",
            create_slot_sql(connection_.server_version(), config_.slot));
      }
      return {};
    }
    const auto fit = check_slot(*slot, config_.connection.database, {});
    if (fit.ok()) {
      add(Level::ok, "replication slot " + config_.slot + " exists");
    } else {
      const bool busy = fit.error().code == Error::Code::unavailable;
      add(busy ? Level::warning : Level::error, fit.error().message, "", fit.error().hint);
    }
    if (slot->wal_status == "unreserved") {
      add(Level::warning, "replication slot " + config_.slot + " is about to be lost",
          "the server may remove log that it has not been read yet",
          "run the pipeline now, or raise max_slot_wal_keep_size");
    }
    return {};
  }

  Status check_tables() {
    std::size_t ready = 0;
    for (const auto& table : tables_) {
      const auto before = findings_.size();
      const auto name = to_string(table.schema->name);
      if (!table.problem.empty()) {
        add(Level::error, name + " " + table.problem, "", table.hint);
      } else {
        MAIA_TRY(check_access(table));
      }
      if (findings_.size() == before) ++ready;
    }
    if (tables_.empty()) {
      add(Level::error, "`tables:` selects no table", "", "`maia discover` lists the tables that are there");
    } else if (ready > 0) {
      add(Level::ok, fmt::format("{} of {} tables can be synchronized", ready, tables_.size()));
    }
    return {};
  }

  Status check_access(const SourceTable& table) {
    const auto name = to_string(table.schema->name);
    const auto relation = sql_name(table.schema->name);
    const Parameter parameters[] = {table.schema->id, config_.publication};
    const auto rows = MAIA_TRY(connection_.query(
        "SELECT pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'), "
        "pg_catalog.has_table_privilege(c.oid, "
        "'SELECT'), pg_catalog.pg_has_role(c.relowner, 'USAGE'), c.relrowsecurity, EXISTS (SELECT FROM "
        "pg_catalog.pg_publication_tables p WHERE p.pubname = $2 AND p.schemaname = n.nspname AND "
        "p.tablename = "
        "c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = "
        "$1::oid",
        parameters));
    if (rows.size() == 0) return {};
    if (!rows.boolean(0, 0)) {
      add(Level::error, "the user may not use schema " + table.schema->name.schema, "",
          "GRANT USAGE ON SCHEMA " + sql_name(table.schema->name.schema) + " TO " + user_ + ";");
    }
    if (!rows.boolean(0, 1)) {
      add(Level::error, "the user may not read " + name, "its rows are copied first",
          "GRANT SELECT ON " + relation + " TO " + user_ + ";");
    }
    if (rows.boolean(0, 3) && !bypasses_rls_ && !rows.boolean(0, 2)) {
      add(Level::error, name + " has row security",
          "rows that a policy hides would be missing at the destination",
          "ALTER ROLE " + user_ + " BYPASSRLS;");
    }
    if (!rows.boolean(0, 4) && !superuser_ && !rows.boolean(0, 2)) {
      add(Level::error, name + " is not in the publication, and the user does not own it",
          "only its owner can add a table to a publication",
          "let its owner run: ALTER PUBLICATION " + sql_name(config_.publication) + " ADD TABLE " + relation +
              ";");
    }
    return {};
  }

  Connection& connection_;
  const SourceConfig& config_;
  std::span<const SourceTable> tables_;
  std::string user_;
  std::map<std::string, std::string> settings_;
  Findings findings_;
  bool superuser_ = false;
  bool bypasses_rls_ = false;
  bool may_create_ = false;
};

}  // namespace

Result<Findings> check_capture(Connection& connection, const SourceConfig& config,
                               std::span<const SourceTable> tables) {
  return CaptureCheck(connection, config, tables).run();
}

}  // namespace maia::postgres
