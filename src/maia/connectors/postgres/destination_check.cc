// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/connectors/postgres/destination.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

using Level = Finding::Level;

void find_version(const Connection& connection, Findings& findings) {
  constexpr int kOldest = 14;
  const int major = connection.server_version() / 10'000;
  findings.push_back({major >= kOldest ? Level::ok : Level::error,
                      fmt::format("the server is PostgreSQL {}", major),
                      major >= kOldest ? "" : fmt::format("MAIA needs {} or later", kOldest), ""});
}

Status find_encoding(Connection& connection, Findings& findings) {
  const auto row = MAIA_TRY(connection.query("select pg_catalog.current_setting('server_encoding')"));
  if (row.text(0, 0) == "UTF8") return {};
  findings.push_back({Level::warning, fmt::format("the database's encoding is {}", row.text(0, 0)),
                      "text with characters beyond it is refused, and stops its table",
                      "create the destination's database with ENCODING 'UTF8'"});
  return {};
}

Status find_privileges(Connection& connection, Findings& findings) {
  const auto row = MAIA_TRY(connection.query(R"(
select current_user, pg_catalog.current_database(),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
       coalesce((select pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE')
                 from pg_catalog.pg_namespace n where n.nspname = 'maia'), false))"));
  const auto role = MAIA_TRY(sql::postgres_identifier(row.text(0, 0)));
  const auto database = MAIA_TRY(sql::postgres_identifier(row.text(0, 1)));
  const bool create = row.boolean(0, 2);
  if (!create && !row.boolean(0, 4)) {
    findings.push_back({Level::error, "the user may not make the schema `maia`",
                        "MAIA keeps its checkpoint there",
                        fmt::format("CREATE SCHEMA maia AUTHORIZATION {};", role)});
  }
  if (!create) {
    findings.push_back({Level::warning, "the user may not make schemas",
                        "tables whose schema is missing at the destination cannot be made",
                        fmt::format("GRANT CREATE ON DATABASE {} TO {};", database, role)});
  }
  if (!row.boolean(0, 3)) {
    findings.push_back({Level::error, "the user may not make temporary tables",
                        "changes are collected in one before they are applied",
                        fmt::format("GRANT TEMPORARY ON DATABASE {} TO {};", database, role)});
  }
  return {};
}

Status find_schema(Connection& connection, const std::string& schema, Findings& findings) {
  const auto row = MAIA_TRY(connection.query(
      "select current_user, pg_catalog.has_schema_privilege(oid, 'CREATE') from pg_catalog.pg_namespace "
      "where nspname = $1",
      std::vector<Parameter>{schema}));
  if (row.size() == 0 || row.boolean(0, 1)) return {};
  const auto role = MAIA_TRY(sql::postgres_identifier(row.text(0, 0)));
  const auto name = MAIA_TRY(sql::postgres_identifier(schema));
  findings.push_back({Level::warning, fmt::format("the user may not make tables in schema {}", schema),
                      "tables that are not there yet cannot be made",
                      fmt::format("GRANT CREATE ON SCHEMA {} TO {};", name, role)});
  return {};
}

}  // namespace

Result<Findings> PostgresDestination::check() {
  Findings findings;
  auto connected = connection_ ? Status{} : connect("check");
  if (!connected.ok()) {
    const auto error = std::move(connected).error();
    findings.push_back({Level::error, error.message, "", error.hint});
    return findings;
  }
  findings.push_back({Level::ok, "connected to " + connection_->where(), "", ""});
  find_version(*connection_, findings);
  MAIA_TRY(find_encoding(*connection_, findings));
  MAIA_TRY(find_privileges(*connection_, findings));
  MAIA_TRY(find_schema(*connection_, config_.schema, findings));
  if (checks_foreign_keys_ && config_.foreign_keys == ForeignKeys::automatic) {
    const auto row = MAIA_TRY(connection_->query("select current_user"));
    const auto role = MAIA_TRY(sql::postgres_identifier(row.text(0, 0)));
    findings.push_back(
        {Level::warning, "the user may not set session_replication_role",
         "triggers of the destination's tables fire, and a snapshot into tables with foreign keys "
         "fails if their rows come before those they refer to",
         fmt::format("GRANT SET ON PARAMETER session_replication_role TO {};", role)});
  }
  return findings;
}

}  // namespace maia::postgres
