// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

namespace maia::mysql {
namespace {

using Level = Finding::Level;

/// Settings of the server by name; those that it does not have are absent.
Result<std::map<std::string, std::string>> read_settings(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query(
      "SHOW GLOBAL VARIABLES WHERE variable_name IN ('log_bin', 'binlog_format', 'gtid_mode', "
      "'binlog_row_image', "
      "'binlog_row_metadata', 'binlog_row_value_options', 'gtid_slave_pos', 'log_slave_updates', "
      "'log_replica_updates', "
      "'binlog_annotate_row_events', 'read_only')"));
  std::map<std::string, std::string> settings;
  for (std::size_t r = 0; r < rows.size(); ++r) settings[rows.str(r, 0)] = rows.str(r, 1);
  return settings;
}

struct Wanted {
  std::string name;
  std::string value;
  Level otherwise;
  std::string why;
  std::string fix;
};

/// `receives`: the server is a replica, or was one.
std::vector<Wanted> wanted(bool mariadb, bool receives) {
  std::vector<Wanted> out = {
      {"log_bin", "ON", Level::error, "changes are read from the binary log",
       mariadb ? "set log_bin in the server's configuration and restart it"
               : "remove skip-log-bin from the server's configuration and restart it"},
      {"binlog_format", "ROW", Level::error, "only rows in the log say what has changed",
       "SET GLOBAL binlog_format = 'ROW', and let sessions begin anew"},
      {"binlog_row_metadata", "FULL", Level::warning,
       "without the names of columns in the log, a table that is altered twice before its changes are read "
       "stops the "
       "pipeline",
       "SET GLOBAL binlog_row_metadata = 'FULL'"},
      {"binlog_row_image", "FULL", Level::warning,
       "a copy that was interrupted begins anew, and an INSERT that leaves out columns stops the pipeline, "
       "because "
       "rows lack what is needed",
       "SET GLOBAL binlog_row_image = 'FULL'"},
  };
  if (receives) {
    out.push_back({mariadb ? "log_slave_updates" : "log_replica_updates", "ON", Level::error,
                   "what a replica receives is not in its log without it",
                   "set it in the server's configuration and restart it"});
  }
  if (!mariadb) {
    out.push_back(
        {"gtid_mode", "ON", Level::error, "places in the log are told by global transaction ids",
         "SET GLOBAL enforce_gtid_consistency = ON; SET GLOBAL gtid_mode = OFF_PERMISSIVE; SET GLOBAL "
         "gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = ON"});
  }
  return out;
}

/// Privileges that the user holds for everything, in capitals; "ALL" if so.
Result<std::string> read_grants(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query("SHOW GRANTS"));
  std::string grants;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto line = rows.str(r, 0);
    if (line.find(" ON *.* ") != line.npos) grants += line.substr(0, line.find(" ON *.* ")) + ",";
  }
  std::transform(grants.begin(), grants.end(), grants.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return grants;
}

Finding privilege(const std::string& grants, std::initializer_list<std::string_view> names,
                  const std::string& user) {
  const auto& name = *names.begin();
  const bool has =
      grants.find("ALL PRIVILEGES") != grants.npos ||
      std::any_of(names.begin(), names.end(), [&](auto each) { return grants.find(each) != grants.npos; });
  if (has) return {Level::ok, fmt::format("the user has {}", name), "", ""};
  return {Level::error, fmt::format("the user lacks {}", name), "the binary log cannot be read without it",
          fmt::format("GRANT {} ON *.* TO {}", name, user)};
}

/// Rows that the engine changes because of a foreign key; a server logs them only if it checks keys itself.
Result<Findings> check_cascades(Connection& connection, const std::vector<SourceTable>& tables) {
  const auto native = MAIA_TRY(connection.query("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'"));
  if (native.size() == 1 && native.str(0, 1) == "OFF") return Findings{};
  const auto rows = MAIA_TRY(
      connection.query("SELECT constraint_schema, table_name, constraint_name, delete_rule, update_rule FROM "
                       "information_schema.referential_constraints"));
  Findings findings;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const TableName name{rows.str(r, 0), rows.str(r, 1)};
    const auto acts = [&](std::size_t column) {
      return rows.str(r, column) != "RESTRICT" && rows.str(r, column) != "NO ACTION";
    };
    const bool ours = std::any_of(tables.begin(), tables.end(),
                                  [&](const auto& table) { return table.schema->name == name; });
    if (!ours || (!acts(3) && !acts(4))) continue;
    findings.push_back(
        {Level::warning,
         fmt::format("{} has the foreign key {} with ON {} {}", to_string(name), rows.str(r, 2),
                     acts(3) ? "DELETE" : "UPDATE", rows.str(r, acts(3) ? 3 : 4)),
         "this server does not log the rows that it changes by that, so that the copy keeps them "
         "as they were",
         "Let a trigger or the application change these rows, or resync the table afterwards"});
  }
  return findings;
}

}  // namespace

Result<Findings> check_log(Connection& connection) {
  const auto settings = MAIA_TRY(read_settings(connection));
  Findings findings;
  const bool mariadb = connection.server().mariadb;
  // MariaDB has it off unless told otherwise, which does no harm to a server that receives nothing.
  const auto received = settings.find("gtid_slave_pos");
  const bool receives = !mariadb || (received != settings.end() && !received->second.empty());
  for (const auto& each : wanted(mariadb, receives)) {
    const auto found = settings.find(each.name);
    const auto value = found == settings.end() ? std::string("not there") : found->second;
    if (value == each.value) {
      findings.push_back({Level::ok, fmt::format("{} is {}", each.name, value), "", ""});
    } else {
      findings.push_back({each.otherwise, fmt::format("{} is {}; {} is needed", each.name, value, each.value),
                          each.why, each.fix});
      if (each.otherwise == Level::warning)
        findings.back().what = fmt::format("{} is {}; {} is better", each.name, value, each.value);
    }
  }
  const auto partial = settings.find("binlog_row_value_options");
  const auto image = settings.find("binlog_row_image");
  if (partial != settings.end() && partial->second == "PARTIAL_JSON" && image != settings.end() &&
      image->second != "FULL") {
    findings.push_back({Level::error,
                        "binlog_row_value_options is PARTIAL_JSON and binlog_row_image is not FULL",
                        "the log has parts of JSON values without what they are parts of",
                        "SET GLOBAL binlog_row_image = 'FULL'"});
  }
  return findings;
}

Result<Findings> check_capture(Connection& connection, const std::vector<SourceTable>& tables) {
  auto findings = MAIA_TRY(check_log(connection));
  const auto grants = MAIA_TRY(read_grants(connection));
  const auto who = MAIA_TRY(connection.query("SELECT CURRENT_USER()")).str(0, 0);
  const auto at = who.rfind('@');
  const auto user = fmt::format("'{}'@'{}'", who.substr(0, at), at == who.npos ? "%" : who.substr(at + 1));
  findings.push_back(privilege(grants, {"REPLICATION SLAVE", "REPLICATION REPLICA"}, user));
  if (!connection.server().mariadb) {
    findings.push_back(privilege(grants, {"REPLICATION CLIENT"}, user));
  } else {
    findings.push_back(privilege(grants, {"BINLOG MONITOR", "REPLICATION CLIENT"}, user));
  }
  for (auto& finding : MAIA_TRY(check_cascades(connection, tables))) findings.push_back(std::move(finding));
  for (const auto& table : tables) {
    const auto name = to_string(table.schema->name);
    if (!table.problem.empty()) {
      findings.push_back({Level::error, name + ": " + table.problem, "", table.hint});
    } else if (table.schema->key().empty()) {
      findings.push_back(
          {Level::warning, name + " has no primary key",
           "its rows are found by all their columns, and a copy of it that is interrupted begins anew",
           fmt::format("ALTER TABLE {} ADD PRIMARY KEY (...)", name)});
    } else {
      findings.push_back({Level::ok, name + " can be read", "", ""});
    }
  }
  return findings;
}

}  // namespace maia::mysql
