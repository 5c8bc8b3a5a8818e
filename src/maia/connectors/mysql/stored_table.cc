// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/stored_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

/// A condition on the columns table_schema and table_name. They compare without regard to case, which names
/// of tables do only where the server is set so.
Result<std::string> is_table(const TableName& name) {
  const auto schema = MAIA_TRY(sql::mysql_literal(name.schema));
  const auto table = MAIA_TRY(sql::mysql_literal(name.table));
  return fmt::format(
      "table_schema = {0} and table_name = {1} and (@@lower_case_table_names <> 0 or (cast(table_schema as "
      "binary) = cast({0} as binary) and cast(table_name as binary) = cast({1} as binary)))",
      schema, table);
}

Status read_columns(Connection& connection, const std::string& condition, StoredTable& table) {
  const auto rows = MAIA_TRY(connection.query(
      "select column_name, data_type, column_type, character_maximum_length, numeric_precision, "
      "numeric_scale, datetime_precision, character_set_name, collation_name, is_nullable, "
      "column_default is not null, extra, generation_expression from information_schema.columns where " +
      condition + " order by ordinal_position"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto extra = rows.str(i, 11);
    const auto number = [&](std::size_t column) {
      return static_cast<std::uint32_t>(rows.integer(i, column));
    };
    table.columns.push_back(
        {.name = rows.str(i, 0),
         .type = {.name = rows.str(i, 1),
                  .full = rows.str(i, 2),
                  .length = static_cast<std::uint64_t>(rows.integer(i, 3)),
                  .digits = number(4),
                  .scale = number(5),
                  .fraction = number(6),
                  .charset = rows.str(i, 7),
                  .collation = rows.str(i, 8)},
         .not_null = rows.str(i, 9) == "NO",
         .has_default = rows.integer(i, 10) != 0 || extra.find("auto_increment") != extra.npos,
         .computed = !rows.str(i, 12).empty()});
  }
  return {};
}

Status read_keys(Connection& connection, const std::string& condition, StoredTable& table) {
  const auto rows = MAIA_TRY(
      connection.query("select index_name, column_name, sub_part is not null or column_name is null from "
                       "information_schema.statistics where non_unique = 0 and " +
                       condition + " order by index_name, seq_in_index"));
  std::vector<StoredTable::UniqueKey> keys;
  std::vector<bool> whole;
  std::string last;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (keys.empty() || rows.str(i, 0) != last) {
      last = rows.str(i, 0);
      keys.push_back({last, {}});
      whole.push_back(true);
    }
    keys.back().columns.push_back(rows.str(i, 1));
    if (rows.integer(i, 2) != 0) whole.back() = false;
    if (last == "PRIMARY") table.primary_key.push_back(rows.str(i, 1));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!whole[i]) continue;
    std::sort(keys[i].columns.begin(), keys[i].columns.end());
    table.unique_keys.push_back(std::move(keys[i]));
  }
  return {};
}

}  // namespace

std::string StoredColumn::sql() const {
  if (type.charset.empty() || type.name == "json") return type.full;
  return fmt::format("{} character set {} collate {}", type.full, type.charset, type.collation);
}

const StoredColumn* StoredTable::find(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

const StoredTable::UniqueKey* StoredTable::unique_key(std::vector<std::string> over) const {
  std::sort(over.begin(), over.end());
  const auto found = std::find_if(unique_keys.begin(), unique_keys.end(),
                                  [&](const auto& each) { return each.columns == over; });
  return found == unique_keys.end() ? nullptr : &*found;
}

Result<std::optional<StoredTable>> read_stored_table(Connection& connection, const TableName& name) {
  const auto condition = MAIA_TRY(is_table(name));
  const auto rows = MAIA_TRY(
      connection.query("select engine, table_comment from information_schema.tables where " + condition));
  if (rows.size() == 0) return std::optional<StoredTable>{};
  StoredTable table{.engine = rows.str(0, 0), .comment = rows.str(0, 1)};
  MAIA_TRY(read_columns(connection, condition, table));
  MAIA_TRY(read_keys(connection, condition, table));
  return std::optional(std::move(table));
}

}  // namespace maia::mysql
