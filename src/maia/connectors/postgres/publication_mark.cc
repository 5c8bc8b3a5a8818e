// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/publication_mark.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "maia/connectors/postgres/slot.h"

namespace maia::postgres {
namespace {

constexpr std::string_view kFirstLine = "publication 1";

/// The text up to `end`, which is taken off with it. Nothing if there is no `end`.
std::optional<std::string> take(std::string_view& text, char end) {
  const auto at = text.find(end);
  if (at == std::string_view::npos) return {};
  std::string taken(text.substr(0, at));
  text.remove_prefix(at + 1);
  return taken;
}

/// A name of a catalogue without the signs that part one name from the next.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else {
      text += c == '\\' ? "\\\\" : std::string(1, c);
    }
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      name += text[i];
      continue;
    }
    const char c = text[++i];
    name += c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  return name;
}

Error changed(const MarkedPublication& which, std::string_view reason, std::string_view what) {
  return lost_history(
      reason,
      fmt::format("publication {} {}; changes that were made meanwhile are not in the stream", which.name,
                  what),
      fmt::format(
          "if no row was changed meanwhile, put the publication back and let MAIA take it as it is: UPDATE "
          "maia.heartbeat SET publication = '' WHERE slot = '{}'; at the source",
          which.slot));
}

std::string what_happened(const PublicationMark::Table& before, const PublicationMark::Table& now) {
  if (before.columns != now.columns) return "its column list was changed";
  if (before.filter != now.filter) return "its row filter was changed";
  return "it was taken out and put back";
}

}  // namespace

std::string PublicationMark::text() const {
  auto text = fmt::format("{}\n{}\t{}\t{}\n", kFirstLine, oid, version, options);
  for (const auto& [id, table] : tables) {
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", id, table.entry, table.columns, table.filter,
                        escaped(table.name.schema), escaped(table.name.table));
  }
  return text;
}

std::optional<PublicationMark> PublicationMark::parse(std::string_view text) {
  PublicationMark mark;
  if (take(text, '\n') != kFirstLine) return {};
  auto oid = take(text, '\t'), version = take(text, '\t'), options = take(text, '\n');
  if (!oid || !version || !options) return {};
  mark.oid = *oid;
  mark.version = *version;
  mark.options = *options;
  while (!text.empty()) {
    auto id = take(text, '\t'), entry = take(text, '\t'), columns = take(text, '\t'),
         filter = take(text, '\t');
    auto schema = take(text, '\t'), table = take(text, '\n');
    if (!id || !entry || !columns || !filter || !schema || !table) return {};
    mark.tables[*id] = {{unescaped(*schema), unescaped(*table)}, *entry, *columns, *filter};
  }
  return mark;
}

Result<std::optional<PublicationMark>> read_publication_mark(
    Connection& connection, const std::string& name, const std::function<bool(const TableName&)>& wanted) {
  const int version = connection.server_version();
  const std::string generated = version >= 180'000 ? "pubgencols::text" : "''";
  const std::string lists =
      version >= 150'000 ? "coalesce(r.prattrs::text, ''), coalesce(pg_catalog.md5(pg_catalog.pg_get_expr("
                           "r.prqual, r.prrelid)), ''), "
                         : "'', '', ";
  const std::string entry =
      version >= 150'000 ? "coalesce(r.oid || ':' || r.xmin, (SELECT n.oid || ':' || n.xmin FROM "
                           "pg_catalog.pg_publication_namespace n WHERE n.pnpubid = p.oid AND n.pnnspid = "
                           "c.relnamespace), '')"
                         : "coalesce(r.oid || ':' || r.xmin, '')";
  // One statement, so that publication and tables are of one moment.
  const Parameter parameters[] = {name};
  const auto rows = MAIA_TRY(connection.query(
      "SELECT p.oid, p.xmin, p.puballtables::text || p.pubinsert || p.pubupdate || p.pubdelete || "
      "p.pubtruncate "
      "|| p.pubviaroot || " +
          generated + ", c.oid, " + entry + ", " + lists +
          "t.schemaname, t.tablename FROM pg_catalog.pg_publication p "
          "LEFT JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname "
          "LEFT JOIN pg_catalog.pg_namespace s ON s.nspname = t.schemaname "
          "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = t.tablename "
          "LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid "
          "WHERE p.pubname = $1",
      parameters));
  if (rows.size() == 0) return std::optional<PublicationMark>{};
  PublicationMark mark{rows.str(0, 0), rows.str(0, 1), rows.str(0, 2), {}};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows.is_null(r, 3)) continue;
    TableName table{rows.str(r, 7), rows.str(r, 8)};
    if (!wanted(table)) continue;
    mark.tables[rows.str(r, 3)] = {std::move(table), rows.str(r, 4), rows.str(r, 5), rows.str(r, 6)};
  }
  return std::optional(std::move(mark));
}

Status check_publication(Connection& connection, const MarkedPublication& which,
                         const PublicationMark& before, const std::optional<PublicationMark>& now) {
  if (!now) return changed(which, "publication_dropped", "was dropped");
  if (now->oid != before.oid) return changed(which, "publication_dropped", "was dropped and made again");
  if (now->options != before.options) {
    return changed(which, "publication_changed", "was altered: what it publishes is not what it was");
  }
  if (now->version != before.version) {
    return changed(which, "publication_changed", "was altered and altered back");
  }
  std::vector<std::string> lost, gone;
  for (const auto& [oid, table] : before.tables) {
    const auto at = now->tables.find(oid);
    if (at == now->tables.end()) {
      gone.push_back(oid);
    } else if (at->second.entry != table.entry || at->second.columns != table.columns ||
               at->second.filter != table.filter) {
      lost.push_back(fmt::format("{} ({})", to_string(table.name), what_happened(table, at->second)));
    }
  }
  if (!gone.empty()) {
    const Parameter parameters[] = {fmt::format("{{{}}}", fmt::join(gone, ","))};
    const auto there = MAIA_TRY(
        connection.query("SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY($1::oid[])", parameters));
    for (std::size_t r = 0; r < there.size(); ++r) {
      lost.push_back(fmt::format("{} (it was taken out)", to_string(before.tables.at(there.str(r, 0)).name)));
    }
  }
  if (lost.empty()) return {};
  return changed(which, "publication_changed",
                 fmt::format("does not send what it sent of {}", fmt::join(lost, ", ")));
}

}  // namespace maia::postgres
