// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

using sql::postgres_identifier;
using sql::postgres_table;

Status ensure_schema(Connection& connection, const std::string& schema) {
  const auto there = MAIA_TRY(connection.query("select 1 from pg_catalog.pg_namespace where nspname = $1",
                                               std::vector<Parameter>{schema}));
  if (there.size() > 0) return {};
  return connection.run("create schema " + MAIA_TRY(postgres_identifier(schema)));
}

Error differs(const TableTarget& target, const std::vector<std::string>& differences) {
  return Error{
      .code = Error::Code::invalid_config,
      .message = fmt::format("the table {} at the destination does not fit: {}", to_string(target.name),
                             fmt::join(differences, "; ")),
      .hint = "alter it, rename it out of the way so that MAIA creates it, or route to another name"};
}

void compare_columns(const StoredTable& stored, const TableTarget& target, const ServerTypes& types,
                     std::vector<std::string>& differences) {
  for (const auto& column : target.schema->columns) {
    const auto* there = stored.find(column.name);
    if (there == nullptr) {
      differences.push_back(fmt::format("it has no column {}", column.name));
    } else if (there->computed) {
      if (!column.generated) {
        differences.push_back(
            fmt::format("its column {} is computed there and cannot be written", column.name));
      }
    } else if (!can_hold(there->type, column.type, types)) {
      differences.push_back(fmt::format("its column {} is {}, which does not hold every value of {}",
                                        column.name, there->declared, to_string(column.type)));
    } else if (there->not_null && column.nullable) {
      differences.push_back(fmt::format("its column {} is NOT NULL, the source's is not", column.name));
    }
  }
  for (const auto& column : stored.columns) {
    if (column.not_null && !column.has_default && !target.schema->find(column.name)) {
      differences.push_back(
          fmt::format("its column {} is NOT NULL without a default, and the source has none", column.name));
    }
  }
}

bool has_key(const TableTarget& target) {
  return target.mode == TableTarget::Mode::upsert && !target.key.empty();
}

Result<std::string> key_sql(const TableTarget& target) {
  std::vector<std::string> key;
  for (const auto& name : target.key_names()) key.push_back(MAIA_TRY(postgres_identifier(name)));
  return fmt::format("primary key ({})", fmt::join(key, ", "));
}

/// Bytes that sorting a key's values may take at the server before it goes to the disk.
constexpr const char* kKeyMemory = "256MB";

}  // namespace

Result<std::string> create_table_sql(const TableTarget& target, const ServerTypes& types, bool with_key) {
  std::vector<std::string> parts;
  for (const auto& column : target.schema->columns) {
    parts.push_back(fmt::format("{} {}{}", MAIA_TRY(postgres_identifier(column.name)),
                                stored_type(column.type, types).sql(), column.nullable ? "" : " not null"));
  }
  if (with_key && has_key(target)) parts.push_back(MAIA_TRY(key_sql(target)));
  return fmt::format("create table {} ({})", MAIA_TRY(postgres_table(target.name)), fmt::join(parts, ", "));
}

Status verify_table(const StoredTable& stored, const TableTarget& target, const ServerTypes& types) {
  std::vector<std::string> differences;
  if (stored.kind != 'r' && stored.kind != 'p') {
    differences.push_back("it is no table");
    return differs(target, differences);
  }
  compare_columns(stored, target, types, differences);
  if (has_key(target)) {
    auto key = target.key_names();
    std::sort(key.begin(), key.end());
    if (std::find(stored.unique_keys.begin(), stored.unique_keys.end(), key) == stored.unique_keys.end()) {
      differences.push_back(
          fmt::format("it has no primary key or unique index of exactly ({}) that is checked at once",
                      fmt::join(key, ", ")));
    }
  }
  if (!differences.empty()) return differs(target, differences);
  return {};
}

Status make_key(Connection& connection, const TableTarget& target) {
  MAIA_TRY(connection.run(fmt::format(
      "select pg_catalog.set_config('maintenance_work_mem', '{0}', true) where pg_catalog.pg_size_bytes("
      "pg_catalog.current_setting('maintenance_work_mem')) < pg_catalog.pg_size_bytes('{0}')",
      kKeyMemory)));
  const auto table = MAIA_TRY(postgres_table(target.name));
  return connection.run(
      fmt::format("alter table {0} add {1}; comment on table {0} is null", table, MAIA_TRY(key_sql(target))));
}

Status make_table(Connection& connection, const TableTarget& target, const ServerTypes& types,
                  bool key_later) {
  if (target.schema->columns.empty()) {
    return Error{.code = Error::Code::unsupported,
                 .message = "table " + to_string(target.name) +
                            " has no columns, so that its rows cannot be told apart"};
  }
  MAIA_TRY(ensure_schema(connection, target.name.schema));
  auto stored = MAIA_TRY(read_stored_table(connection, target.name));
  if (stored && stored->lacks_key && has_key(target)) {
    MAIA_TRY(make_key(connection, target));
    stored = MAIA_TRY(read_stored_table(connection, target.name));
  }
  if (stored) return verify_table(*stored, target, types);
  const bool lacks_key = key_later && has_key(target);
  const auto create = MAIA_TRY(create_table_sql(target, types, !lacks_key));
  MAIA_TRY(connection.run(create));
  if (!lacks_key) return {};
  return connection.run(fmt::format("comment on table {} is {}", MAIA_TRY(postgres_table(target.name)),
                                    MAIA_TRY(sql::postgres_literal(kKeyComes))));
}

Status truncate_tables(Connection& connection, std::span<const TableName> tables, bool restart_identity) {
  if (tables.empty()) return {};
  std::vector<std::string> names;
  for (const auto& table : tables) names.push_back(MAIA_TRY(postgres_table(table)));
  MAIA_TRY(connection.run("savepoint maia_truncate"));
  auto done = connection.run(
      fmt::format("truncate {}{}", fmt::join(names, ", "), restart_identity ? " restart identity" : ""));
  if (done.ok()) return connection.run("release savepoint maia_truncate");
  if (connection.last_sqlstate() != "0A000") return done;
  MAIA_TRY(connection.run("rollback to savepoint maia_truncate"));
  for (const auto& name : names) MAIA_TRY(connection.run("delete from " + name));
  return {};
}

Status raise_sequences(Connection& connection, const TableName& table) {
  const auto owned = MAIA_TRY(connection.query(R"(
select pg_catalog.format('%I.%I', n.nspname, s.relname), a.attname, q.seqincrement > 0
from pg_catalog.pg_class c
join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
join pg_catalog.pg_depend d on d.refobjid = c.oid
  and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_catalog.pg_namespace n on n.oid = s.relnamespace
join pg_catalog.pg_sequence q on q.seqrelid = s.oid
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
where cn.nspname = $1 and c.relname = $2)",
                                               std::vector<Parameter>{table.schema, table.table}));
  const auto from = MAIA_TRY(postgres_table(table));
  for (std::size_t i = 0; i < owned.size(); ++i) {
    const auto sequence = owned.str(i, 0);
    const auto literal = MAIA_TRY(sql::postgres_literal(sequence));
    const auto column = MAIA_TRY(postgres_identifier(owned.text(i, 1)));
    const bool up = owned.boolean(i, 2);
    // A sequence that nobody has asked yet still gives its first value, which last_value holds already.
    MAIA_TRY(connection.run(fmt::format(
        "select pg_catalog.setval({}, v.edge::bigint) from (select {}({}) as edge from {}) v, {} s "
        "where v.edge {} s.last_value or (v.edge = s.last_value and not s.is_called)",
        literal, up ? "pg_catalog.max" : "pg_catalog.min", column, from, sequence, up ? ">" : "<")));
  }
  return {};
}

}  // namespace maia::postgres
