// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

using sql::mysql_identifier;
using sql::mysql_table;

Result<std::string> create_sql(const Connection& connection, const Hold& held, const TableTarget& target) {
  const auto stored = stored_types(*target.schema, index_columns(target));
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    auto column = target.schema->columns[i];
    for (const auto key : index_columns(target)) column.nullable = column.nullable && key != i;
    parts.push_back(MAIA_TRY(column_definition(connection, column, stored[i])));
  }
  if (!index_columns(target).empty())
    parts.push_back("PRIMARY KEY (" + MAIA_TRY(listed(target.key_names())) + ")");
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} ({}) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT = {}",
      MAIA_TRY(mysql_table(target.name)), fmt::join(parts, ", "),
      MAIA_TRY(sql::mysql_literal(made_by(held.pipeline, held.epoch))));
}

void compare_columns(const StoredTable& stored, const TableTarget& target,
                     std::vector<std::string>& differences) {
  for (const auto& column : target.schema->columns) {
    const auto* there = stored.find(column.name);
    if (there == nullptr) {
      differences.push_back(fmt::format("it has no column {}", column.name));
    } else if (there->computed) {
      if (!column.generated)
        differences.push_back(
            fmt::format("its column {} is computed there and cannot be written", column.name));
    } else if (!can_hold(there->type, column.type)) {
      differences.push_back(fmt::format("its column {} is {}, which does not hold every value of {}",
                                        column.name, there->type.full, to_string(column.type)));
    } else if (there->not_null && column.nullable) {
      differences.push_back(fmt::format("its column {} is NOT NULL, the source's is not", column.name));
    }
  }
  for (const auto& column : stored.columns) {
    if (column.not_null && !column.has_default && !column.computed && !target.schema->find(column.name))
      differences.push_back(
          fmt::format("its column {} is NOT NULL without a default, and the source has none", column.name));
  }
}

void compare_key(const StoredTable& stored, const TableTarget& target,
                 std::vector<std::string>& differences) {
  if (target.mode != TableTarget::Mode::upsert) return;
  if (!target.key.empty() && !stored.unique_key(target.key_names()))
    differences.push_back(
        fmt::format("it has no unique key of exactly ({})", fmt::join(target.key_names(), ", ")));
  for (std::size_t i = 0; i < target.schema->columns.size(); ++i) {
    const bool looked_at =
        target.key.empty() || std::find(target.key.begin(), target.key.end(), i) != target.key.end();
    const auto* there = stored.find(target.schema->columns[i].name);
    if (looked_at && there != nullptr && !tells_texts_apart(there->type))
      differences.push_back(fmt::format(
          "its column {}, by which rows are found, has the collation {}, for which different texts are equal",
          there->name, there->type.collation));
  }
}

/// Whether an earlier run has made the table and died before anything was committed to it. Its comment says
/// that it is that very table.
Result<bool> is_left_behind(Connection& connection, const Hold& held, const TableName& name,
                            const StoredTable& stored) {
  const auto maker = MAIA_TRY(read_making(connection, held.pipeline, name));
  return maker && maker->value < held.epoch.value && stored.comment == made_by(held.pipeline, *maker);
}

}  // namespace

Result<std::string> column_definition(const Connection& connection, const Column& column,
                                      const StoredType& stored) {
  if (stored.sql.empty()) {
    return Error{.code = Error::Code::unsupported,
                 .message = fmt::format("column {}: {}", column.name, stored.note)};
  }
  std::string text = MAIA_TRY(mysql_identifier(column.name)) + " " + stored.sql;
  if (stored.text) {
    text += " CHARACTER SET utf8mb4 COLLATE ";
    text += connection.server().mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
  }
  return text + (column.nullable ? " NULL" : " NOT NULL");
}

std::vector<std::size_t> index_columns(const TableTarget& target) {
  return target.mode == TableTarget::Mode::upsert ? target.key : std::vector<std::size_t>{};
}

Result<std::string> listed(std::span<const std::string> names) {
  std::vector<std::string> quoted;
  for (const auto& name : names) quoted.push_back(MAIA_TRY(mysql_identifier(name)));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

Status verify_table(const StoredTable& stored, const TableTarget& target) {
  std::vector<std::string> differences;
  if (stored.engine != "InnoDB")
    differences.push_back(stored.engine.empty() ? "it is a view"
                                                : "its engine " + stored.engine + " knows no transactions");
  compare_columns(stored, target, differences);
  compare_key(stored, target, differences);
  if (differences.empty()) return {};
  return Error{
      .code = Error::Code::invalid_config,
      .message = fmt::format("the table {} at the destination does not fit: {}", to_string(target.name),
                             fmt::join(differences, "; ")),
      .hint = "alter it, rename it out of the way so that MAIA creates it, or route to another name"};
}

Status ensure_database(Connection& connection, const std::string& name) {
  const auto literal = MAIA_TRY(sql::mysql_literal(name));
  const auto there =
      MAIA_TRY(connection.query("select 1 from information_schema.schemata where schema_name = " + literal));
  if (there.size() > 0) return {};
  return connection.run("CREATE DATABASE IF NOT EXISTS " + MAIA_TRY(mysql_identifier(name)));
}

Status make_table(Connection& connection, const Hold& held, const TableTarget& target) {
  auto stored = MAIA_TRY(read_stored_table(connection, target.name));
  if (stored) {
    auto fits = verify_table(*stored, target);
    if (fits.ok() || !MAIA_TRY(is_left_behind(connection, held, target.name, *stored))) return fits;
    const auto name = MAIA_TRY(mysql_table(target.name));
    MAIA_TRY(connection.run("DROP TABLE " + name));
  }
  MAIA_TRY(ensure_database(connection, target.name.schema));
  const auto create = MAIA_TRY(create_sql(connection, held, target));
  MAIA_TRY(note_making(connection, held, target.name));
  MAIA_TRY(connection.run(create));
  stored = MAIA_TRY(read_stored_table(connection, target.name));
  if (stored) return verify_table(*stored, target);
  return Error{.code = Error::Code::check_failed,
               .message = "the table " + to_string(target.name) + " was made but cannot be seen",
               .hint = "grant the user its privileges; `maia check` prints the statement"};
}

}  // namespace maia::mysql
