// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/connectors/postgres/destination_tables.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

using sql::postgres_identifier;
using Kind = ColumnChange::Kind;

std::string parked(std::size_t i) { return fmt::format("\"maia renames {}\"", i); }

/// One ALTER TABLE after the other, on the table under its new name.
class TableChange {
 public:
  TableChange(Connection& connection, const TableTarget& after, const ServerTypes& types)
      : connection_(connection), after_(after), types_(types) {}

  Status apply(std::span<const ColumnChange> changes);

 private:
  Status alter(const std::string& what) { return connection_.run("alter table " + table_ + " " + what); }
  Result<const Column*> column(const std::string& name) const;
  Status rename(std::span<const ColumnChange> changes);
  Status add(const ColumnChange& change);
  Status retype(const ColumnChange& change);
  Status nullability(const ColumnChange& change);
  Result<bool> has_key();
  Status drop_other_key();
  Status add_key();

  Connection& connection_;
  const TableTarget& after_;
  const ServerTypes& types_;
  std::string table_;
};

Status TableChange::apply(std::span<const ColumnChange> changes) {
  table_ = MAIA_TRY(sql::postgres_table(after_.name));
  for (const auto& change : changes) {
    if (change.kind != Kind::drop) continue;
    const auto name = MAIA_TRY(postgres_identifier(change.column));
    MAIA_TRY(alter("drop column if exists " + name));
  }
  MAIA_TRY(rename(changes));
  MAIA_TRY(drop_other_key());
  for (const auto& change : changes) {
    switch (change.kind) {
      case Kind::add: MAIA_TRY(add(change)); break;
      case Kind::retype: MAIA_TRY(retype(change)); break;
      case Kind::nullability: MAIA_TRY(nullability(change)); break;
      case Kind::drop:
      case Kind::rename: break;         // done above, because added columns may take their names
      case Kind::key: break;            // below, when all columns are there
      case Kind::default_value: break;  // every row comes with all of its values
    }
  }
  return add_key();
}

Result<const Column*> TableChange::column(const std::string& name) const {
  const auto i = after_.schema->find(name);
  if (i) return &after_.schema->columns[*i];
  return Error{.message = fmt::format("table {} has no column {} after the change that names it",
                                      to_string(after_.name), name)};
}

Status TableChange::rename(std::span<const ColumnChange> changes) {
  // Names may swap, so all of them go by way of names that nobody has.
  std::vector<const ColumnChange*> renames;
  for (const auto& change : changes) {
    if (change.kind == Kind::rename) renames.push_back(&change);
  }
  const bool direct = renames.size() == 1;
  for (std::size_t i = 0; i < renames.size(); ++i) {
    const auto from = MAIA_TRY(postgres_identifier(renames[i]->old_name));
    const auto to = MAIA_TRY(postgres_identifier(renames[i]->column));
    MAIA_TRY(alter(fmt::format("rename column {} to {}", from, direct ? to : parked(i))));
  }
  for (std::size_t i = 0; !direct && i < renames.size(); ++i) {
    const auto to = MAIA_TRY(postgres_identifier(renames[i]->column));
    MAIA_TRY(alter(fmt::format("rename column {} to {}", parked(i), to)));
  }
  return {};
}

Status TableChange::add(const ColumnChange& change) {
  const auto& added = *MAIA_TRY(column(change.column));
  const auto stored = MAIA_TRY(read_stored_table(connection_, after_.name));
  if (stored && stored->find(added.name) != nullptr)
    return {};  // made by hand beforehand; verified at the end
  const auto name = MAIA_TRY(postgres_identifier(added.name));
  auto clause = fmt::format("add column {} {}", name, stored_type(added.type, types_).sql());
  if (change.existing_rows) clause += " default " + MAIA_TRY(sql::postgres_literal(*change.existing_rows));
  if (!added.nullable) clause += " not null";
  MAIA_TRY(alter(clause));
  if (!change.existing_rows) return {};
  return alter(fmt::format("alter column {} drop default", name));
}

Status TableChange::retype(const ColumnChange& change) {
  const auto& retyped = *MAIA_TRY(column(change.column));
  const auto name = MAIA_TRY(postgres_identifier(retyped.name));
  const auto type = stored_type(retyped.type, types_).sql();
  const auto stored = MAIA_TRY(read_stored_table(connection_, after_.name));
  const auto* there = stored ? stored->find(retyped.name) : nullptr;
  if (there != nullptr && there->declared == type) return {};
  MAIA_TRY(connection_.run("savepoint maia_retype"));
  auto done = alter(fmt::format("alter column {} type {} using {}::{}", name, type, name, type));
  if (!done.ok() && connection_.last_sqlstate() == "42846") {
    // No cast leads from the old type to the new one; the text of the values is what they have in common.
    MAIA_TRY(connection_.run("rollback to savepoint maia_retype"));
    done = alter(fmt::format("alter column {} type {} using {}::text::{}", name, type, name, type));
  }
  if (done.ok()) return connection_.run("release savepoint maia_retype");
  auto error = std::move(done).error();
  if (error.code == Error::Code::data && error.hint.empty()) {
    error.hint = "rows that are there do not fit the new type; `maia resync` copies the table again";
  }
  return std::move(error).in("column " + retyped.name);
}

Status TableChange::nullability(const ColumnChange& change) {
  const auto& changed = *MAIA_TRY(column(change.column));
  return alter(fmt::format("alter column {} {} not null", MAIA_TRY(postgres_identifier(changed.name)),
                           changed.nullable ? "drop" : "set"));
}

/// Whether the table finds rows by the key of the target, or needs none.
Result<bool> TableChange::has_key() {
  if (after_.mode != TableTarget::Mode::upsert || after_.key.empty()) return true;
  std::vector<std::string> names;
  names.reserve(after_.key.size());
  for (const auto i : after_.key) names.push_back(after_.schema->columns[i].name);
  std::sort(names.begin(), names.end());
  const auto stored = MAIA_TRY(read_stored_table(connection_, after_.name));
  if (!stored) return false;
  return std::find(stored->unique_keys.begin(), stored->unique_keys.end(), names) !=
         stored->unique_keys.end();
}

Status TableChange::drop_other_key() {
  if (MAIA_TRY(has_key())) return {};
  const auto old = MAIA_TRY(connection_.query(
      "select k.conname from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid "
      "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
      "where k.contype = 'p' and n.nspname = $1 and c.relname = $2",
      std::vector<Parameter>{after_.name.schema, after_.name.table}));
  if (old.size() == 0) return {};
  const auto constraint = MAIA_TRY(postgres_identifier(old.text(0, 0)));
  return alter("drop constraint " + constraint);
}

/// The key has changed, or has gone with a dropped column.
Status TableChange::add_key() {
  if (MAIA_TRY(has_key())) return {};
  std::vector<std::string> columns;
  columns.reserve(after_.key.size());
  for (const auto i : after_.key)
    columns.push_back(MAIA_TRY(postgres_identifier(after_.schema->columns[i].name)));
  return alter(fmt::format("add primary key ({})", fmt::join(columns, ", ")));
}

Status rename_table(Connection& connection, const TableName& before, const TableName& after) {
  if (before == after) return {};
  auto table = MAIA_TRY(sql::postgres_table(before));
  if (before.schema != after.schema) {
    const auto schema = MAIA_TRY(postgres_identifier(after.schema));
    const auto there = MAIA_TRY(connection.query("select 1 from pg_catalog.pg_namespace where nspname = $1",
                                                 std::vector<Parameter>{after.schema}));
    if (there.size() == 0) MAIA_TRY(connection.run("create schema " + schema));
    MAIA_TRY(connection.run(fmt::format("alter table {} set schema {}", table, schema)));
    table = MAIA_TRY(sql::postgres_table({after.schema, before.table}));
  }
  if (before.table == after.table) return {};
  return connection.run(
      fmt::format("alter table {} rename to {}", table, MAIA_TRY(postgres_identifier(after.table))));
}

}  // namespace

Status alter_table(Connection& connection, const TableTarget& before, const TableTarget& after,
                   const SchemaChange& change, const ServerTypes& types) {
  MAIA_TRY(rename_table(connection, before.name, after.name));
  MAIA_TRY(TableChange(connection, after, types).apply(change.columns));
  const auto stored = MAIA_TRY(read_stored_table(connection, after.name));
  if (!stored) {
    return Error{.code = Error::Code::invalid_config,
                 .message = "the table " + to_string(after.name) + " is not at the destination any more"};
  }
  return verify_table(*stored, after, types);
}

}  // namespace maia::postgres
