// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/connectors/mysql/destination.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

using Level = Finding::Level;

void find_version(const ServerKind& server, Findings& findings) {
  const std::uint32_t oldest = server.mariadb ? 100600 : 80019;
  const auto* product = server.mariadb ? "MariaDB" : "MySQL";
  const auto words = [](std::uint32_t version) {
    return fmt::format("{}.{}", version / 10'000, version / 100 % 100);
  };
  findings.push_back({server.version >= oldest ? Level::ok : Level::error,
                      fmt::format("the server is {} {}", product, words(server.version)),
                      server.version >= oldest ? "" : fmt::format("MAIA needs {} or later", words(oldest)),
                      ""});
}

Status find_durability(Connection& connection, Findings& findings) {
  const auto row = MAIA_TRY(
      connection.query("select @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@binlog_format"));
  if (row.integer(0, 0) != 1) {
    findings.push_back(
        {Level::warning, fmt::format("innodb_flush_log_at_trx_commit is {}", row.integer(0, 0)),
         "rows and checkpoint that are committed can be lost together when the machine fails; "
         "the run then goes on from the older checkpoint, if the source still holds what follows",
         "SET GLOBAL innodb_flush_log_at_trx_commit = 1;"});
  }
  if (row.integer(0, 1) != 0 && row.str(0, 3) != "ROW") {
    findings.push_back({Level::warning, "binlog_format is " + row.str(0, 3),
                        "a replica of this server gets statements on temporary tables in place of rows",
                        "SET GLOBAL binlog_format = 'ROW';"});
  }
  return {};
}

/// What is granted, in upper case, by the database that it is granted on ("*" for all).
Result<std::map<std::string, std::set<std::string>>> read_grants(Connection& connection) {
  std::map<std::string, std::set<std::string>> granted;
  const auto add = [&](const Rows& rows, std::size_t database, std::size_t privilege) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      granted[database < 2 ? rows.str(i, database) : "*"].insert(rows.str(i, privilege));
  };
  const std::string_view mine =
      "where replace(grantee, '''', '') = current_user() or replace(grantee, '''', '') = current_role()";
  add(MAIA_TRY(connection.query(
          fmt::format("select '*', privilege_type from information_schema.user_privileges {}", mine))),
      0, 1);
  add(MAIA_TRY(connection.query(fmt::format(
          "select table_schema, privilege_type from information_schema.schema_privileges {}", mine))),
      0, 1);
  return granted;
}

/// The name of a database as GRANT has it, where _ and % stand for any characters unless a backslash is
/// before them.
std::string pattern_of(const std::string& database) {
  std::string pattern;
  for (const char c : database) {
    if (c == '_' || c == '%') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

Status find_privileges(Connection& connection, const std::string& database, Findings& findings) {
  const auto granted = MAIA_TRY(read_grants(connection));
  const auto user = MAIA_TRY(connection.query("select current_user()")).str(0, 0);
  const auto at = user.rfind('@');
  const auto grantee = MAIA_TRY(sql::mysql_literal(user.substr(0, at))) + "@" +
                       MAIA_TRY(sql::mysql_literal(user.substr(at + 1)));
  const auto need = [&](const std::string& where, std::initializer_list<std::string_view> wanted,
                        const std::string& why) -> Status {
    std::string missing;
    for (const auto privilege : wanted) {
      const auto has = [&](const std::string& place) {
        const auto found = granted.find(place);
        return found != granted.end() && found->second.contains(std::string(privilege));
      };
      if (has("*") || has(where) || has(pattern_of(where))) continue;
      missing += (missing.empty() ? "" : ", ") + std::string(privilege);
    }
    if (missing.empty()) return {};
    findings.push_back({Level::error, fmt::format("the user lacks {} on the database {}", missing, where),
                        why,
                        fmt::format("GRANT {} ON {}.* TO {};", missing,
                                    MAIA_TRY(sql::mysql_identifier(pattern_of(where))), grantee)});
    return {};
  };
  MAIA_TRY(need("maia", {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "CREATE TEMPORARY TABLES"},
                "MAIA keeps its checkpoint there, and collects changes in temporary tables"));
  return need(database, {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"},
              "tables are made, altered (which takes DROP where one is renamed) and written there");
}

}  // namespace

Result<Findings> MysqlDestination::check() {
  Findings findings;
  auto connected = connect("check");
  if (!connected.ok()) {
    const auto error = std::move(connected).error();
    findings.push_back({Level::error, error.message, "", error.hint});
    return findings;
  }
  auto& connection = **connected;
  findings.push_back({Level::ok, "connected to " + connection.where(), "", ""});
  find_version(connection.server(), findings);
  MAIA_TRY(find_durability(connection, findings));
  MAIA_TRY(find_privileges(connection, config_.connection.database, findings));
  return findings;
}

}  // namespace maia::mysql
