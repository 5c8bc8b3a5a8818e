// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

constexpr std::string_view kCharset = " character set ";
constexpr std::string_view kNotOurs =
    "NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'maia')";

bool is_calendar(const NativeType& native) {
  return native.name == "date" || native.name == "datetime" || native.name == "timestamp";
}

bool contains_word(std::string text, std::string_view word) {
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text.find(word) != text.npos;
}

/// MariaDB gives the default as an expression: NULL, 5, 'it''s', current_timestamp(). MySQL gives the text.
void read_default(CatalogColumn& column, bool mariadb, const std::optional<std::string>& text,
                  const std::string& extra) {
  if (!text || (mariadb && *text == "NULL")) return;
  if (contains_word(extra, "DEFAULT_GENERATED") ||
      (mariadb && text->find('(') != text->npos && !text->starts_with('\''))) {
    column.default_is_constant = false;
    return;
  }
  if (mariadb && text->size() >= 2 && text->starts_with('\'')) {
    std::string plain;
    for (std::size_t i = 1; i + 1 < text->size(); ++i) {
      if (((*text)[i] == '\'' || (*text)[i] == '\\') && i + 2 < text->size()) ++i;
      plain += (*text)[i];
    }
    column.default_text = std::move(plain);
  } else {
    column.default_text = *text;
  }
}

Result<std::vector<CatalogTable>> read(Connection& connection, const std::string& condition) {
  const auto tables = MAIA_TRY(connection.query(
      "SELECT table_schema, table_name, engine, table_rows FROM information_schema.tables WHERE table_type = "
      "'BASE TABLE' AND " +
      condition + " ORDER BY table_schema, table_name"));
  const auto columns = MAIA_TRY(connection.query(
      "SELECT c.table_schema, c.table_name, c.column_name, c.column_type, c.is_nullable, c.extra, "
      "c.column_default, c.character_set_name, c.collation_name, c.column_key FROM "
      "information_schema.columns c WHERE " +
      condition +
      " ORDER BY c.table_schema, c.table_name, "
      "c.ordinal_position"));
  std::map<TableName, std::vector<CatalogColumn>> of_table;
  for (std::size_t r = 0; r < columns.size(); ++r) {
    CatalogColumn column;
    column.name = columns.str(r, 2);
    column.native = MAIA_TRY(parse_native_type(columns.str(r, 3)));
    column.native.charset = columns.str(r, 7);
    column.native.collation = columns.str(r, 8);
    column.mapped = map_type(column.native);
    column.nullable = columns.str(r, 4) == "YES";
    const auto extra = columns.str(r, 5);
    column.generated = contains_word(extra, "VIRTUAL") || contains_word(extra, "STORED") ||
                       contains_word(extra, "PERSISTENT");
    column.in_key = columns.str(r, 9) == "PRI";
    const auto value = columns.is_null(r, 6) ? std::nullopt : std::optional(columns.str(r, 6));
    read_default(column, connection.server().mariadb, value, extra);
    of_table[{columns.str(r, 0), columns.str(r, 1)}].push_back(std::move(column));
  }
  std::vector<CatalogTable> out;
  for (std::size_t r = 0; r < tables.size(); ++r) {
    CatalogTable table;
    table.name = {tables.str(r, 0), tables.str(r, 1)};
    table.engine = tables.str(r, 2);
    table.rows_estimate = static_cast<std::uint64_t>(tables.integer(r, 3));
    table.columns = std::move(of_table[table.name]);
    out.push_back(std::move(table));
  }
  return out;
}

}  // namespace

Result<TableChoice> TableChoice::make(const SourceConfig& config) {
  TableChoice choice;
  std::vector<std::string> search_path;
  const auto& database = config.connection.database;
  if (!database.empty()) search_path.push_back(database);
  choice.selection_ = MAIA_TRY(sql::Selection::parse(config.tables, std::move(search_path)));
  const bool only_excludes = std::all_of(config.tables.begin(), config.tables.end(),
                                         [](const auto& pattern) { return pattern.starts_with('!'); });
  if (only_excludes) choice.only_database_ = database;
  return choice;
}

bool TableChoice::includes(const TableName& name) const {
  if (!only_database_.empty() && name.schema != only_database_) return false;
  return selection_.includes(name);
}

Result<std::string> sql_table(const TableName& name) { return sql::mysql_table(name); }

Result<std::vector<CatalogTable>> read_tables(Connection& connection, const TableChoice& choice) {
  auto condition = fmt::format("table_schema {}", kNotOurs);
  if (!choice.only_database().empty())
    condition = "table_schema = " + MAIA_TRY(sql::mysql_literal(choice.only_database()));
  auto tables = MAIA_TRY(read(connection, condition));
  std::erase_if(tables, [&](const CatalogTable& table) { return !choice.includes(table.name); });
  return tables;
}

Result<std::optional<CatalogTable>> read_table(Connection& connection, const TableName& name) {
  const auto schema = MAIA_TRY(sql::mysql_literal(name.schema));
  const auto table = MAIA_TRY(sql::mysql_literal(name.table));
  auto found =
      MAIA_TRY(read(connection, fmt::format("table_schema = {} AND table_name = {}", schema, table)));
  if (found.empty()) return std::optional<CatalogTable>();
  return std::optional(std::move(found.front()));
}

SchemaRef schema_of(const CatalogTable& table, ZeroDates zero_dates, std::uint32_t version) {
  TableSchema schema;
  schema.id = to_string(table.name);
  schema.name = table.name;
  schema.version = version;
  const bool has_key = std::ranges::any_of(table.columns, &CatalogColumn::in_key);
  schema.identity = has_key ? Identity::key : Identity::full;
  for (const auto& each : table.columns) {
    Column column{.name = each.name, .type = each.mapped.type, .native_type = {}, .id = each.name};
    column.nullable =
        each.nullable || (zero_dates == ZeroDates::null && is_calendar(each.native) && !each.in_key);
    column.in_key = each.in_key;
    column.generated = each.generated;
    column.native_type = spelled_with_charset(each.native);
    schema.columns.push_back(std::move(column));
  }
  return std::make_shared<const TableSchema>(std::move(schema));
}

SourceTable offer(const CatalogTable& table, ZeroDates zero_dates) {
  SourceTable offered;
  offered.schema = schema_of(table, zero_dates);
  offered.rows_estimate = table.rows_estimate;
  for (const auto& column : table.columns) {
    offered.mappings.push_back(
        {column.name, spelled_with_charset(column.native), column.mapped.fidelity, column.mapped.note});
    if (column.mapped.fidelity == Fidelity::unsupported) {
      offered.problem = fmt::format("column {}: {}", column.name, column.mapped.note);
      offered.hint = "leave the table out with `tables`, or change the type of the column";
    }
  }
  if (table.engine != "InnoDB" && table.engine != "ROCKSDB") {
    offered.problem = fmt::format(
        "its engine {} has no transactions, so there is no place in the log at which "
        "its rows could be read",
        table.engine);
    offered.hint = fmt::format("ALTER TABLE {} ENGINE = InnoDB", to_string(table.name));
  }
  return offered;
}

std::string spelled_with_charset(const NativeType& native) {
  const bool by_labels = !native.labels.empty();  // these come as text, whatever the log has
  if (by_labels || native.charset.empty() || native.charset == "utf8mb4") return native.spelled;
  return fmt::format("{}{}{}", native.spelled, kCharset, native.charset);
}

Result<NativeType> native_of(const Column& column) {
  const bool by_labels = column.native_type.find('\'') != std::string::npos;
  const auto at = by_labels ? std::string::npos : column.native_type.rfind(kCharset);
  auto native = MAIA_TRY(parse_native_type(std::string_view(column.native_type).substr(0, at)));
  if (at != std::string::npos) native.charset = column.native_type.substr(at + kCharset.size());
  return native;
}

}  // namespace maia::mysql
