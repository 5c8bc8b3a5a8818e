// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/stored_table.h"

#include <algorithm>

namespace maia::postgres {
namespace {

constexpr const char* kRelationQuery = R"(
select c.oid, c.relkind,
       exists (select from pg_catalog.pg_constraint f where f.confrelid = c.oid and f.contype = 'f'),
       exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal),
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class') = $3, false)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2)";

// A domain is followed down to the type that it rests on; the first modifier on the way counts.
constexpr const char* kColumnsQuery = R"(
select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.format_type(b.oid, null), b.typtype, pg_catalog.format_type(b.oid, b.typmod),
       a.attnotnull or b.not_null, a.atthasdef or a.attidentity <> '', a.attgenerated <> '',
       a.attidentity = 'a'
from pg_catalog.pg_attribute a
cross join lateral (
  with recursive rests_on(oid, typtype, below, typmod, not_null, depth) as (
    select t.oid, t.typtype, t.typbasetype, a.atttypmod, t.typnotnull, 0
    from pg_catalog.pg_type t where t.oid = a.atttypid
    union all
    select t.oid, t.typtype, t.typbasetype, case when r.typmod >= 0 then r.typmod else d.typtypmod end,
           r.not_null or t.typnotnull, r.depth + 1
    from rests_on r join pg_catalog.pg_type d on d.oid = r.oid join pg_catalog.pg_type t on t.oid = r.below
    where r.typtype = 'd')
  select * from rests_on order by depth desc limit 1) b
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by a.attnum)";

constexpr const char* kKeysQuery = R"(
select i.indisprimary, k.place, a.attname
from pg_catalog.pg_index i
cross join lateral pg_catalog.unnest(i.indkey) with ordinality k(attnum, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
  and i.indexprs is null and k.place <= i.indnkeyatts
order by i.indexrelid, k.place)";

constexpr const char* kParentsQuery = R"(
select distinct confrelid from pg_catalog.pg_constraint where conrelid = $1 and contype = 'f')";

/// "(10,2)" of "numeric(10,2)"; format_type puts it behind the name or in the middle of it.
std::string modifier_of(std::string_view name, std::string_view full) {
  if (full.size() <= name.size()) return {};
  std::size_t at = 0;
  while (at < name.size() && name[at] == full[at]) ++at;
  return std::string(full.substr(at, full.size() - name.size()));
}

Status read_columns(Connection& connection, const std::string& oid, StoredTable& table) {
  const auto rows = MAIA_TRY(connection.query(kColumnsQuery, std::vector<Parameter>{oid}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ColumnType type{
        .name = rows.str(i, 2), .kind = rows.text(i, 3)[0], .modifier = {}, .full = rows.str(i, 4)};
    type.modifier = modifier_of(type.name, type.full);
    table.columns.push_back({.name = rows.str(i, 0),
                             .declared = rows.str(i, 1),
                             .type = std::move(type),
                             .not_null = rows.boolean(i, 5),
                             .has_default = rows.boolean(i, 6),
                             .computed = rows.boolean(i, 7),
                             .always_identity = rows.boolean(i, 8)});
  }
  return {};
}

Status read_keys(Connection& connection, const std::string& oid, StoredTable& table) {
  // Rows of one index follow each other; a new one begins where the place is 1 again.
  const auto rows = MAIA_TRY(connection.query(kKeysQuery, std::vector<Parameter>{oid}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.integer(i, 1) == 1) table.unique_keys.emplace_back();
    table.unique_keys.back().push_back(rows.str(i, 2));
    if (rows.boolean(i, 0)) table.primary_key.push_back(rows.str(i, 2));
  }
  for (auto& key : table.unique_keys) std::sort(key.begin(), key.end());
  return {};
}

}  // namespace

const StoredColumn* StoredTable::find(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

Result<std::optional<StoredTable>> read_stored_table(Connection& connection, const TableName& name) {
  const auto rows = MAIA_TRY(connection.query(
      kRelationQuery, std::vector<Parameter>{name.schema, name.table, std::string(kKeyComes)}));
  if (rows.size() == 0) return std::optional<StoredTable>{};
  StoredTable table{.oid = static_cast<std::uint32_t>(rows.integer(0, 0)),
                    .kind = rows.text(0, 1)[0],
                    .is_referenced = rows.boolean(0, 2),
                    .has_triggers = rows.boolean(0, 3),
                    .lacks_key = rows.boolean(0, 4)};
  const auto oid = rows.str(0, 0);
  MAIA_TRY(read_columns(connection, oid, table));
  MAIA_TRY(read_keys(connection, oid, table));
  const auto parents = MAIA_TRY(connection.query(kParentsQuery, std::vector<Parameter>{oid}));
  for (std::size_t i = 0; i < parents.size(); ++i) {
    table.parents.push_back(static_cast<std::uint32_t>(parents.integer(i, 0)));
  }
  return std::optional(std::move(table));
}

Result<ServerTypes> read_server_types(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query(R"(
select pg_catalog.format_type(t.oid, null)
from pg_catalog.pg_extension e
join pg_catalog.pg_depend d on d.refobjid = e.oid
  and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
join pg_catalog.pg_type t on t.oid = d.objid and d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
where e.extname = 'hstore' and t.typname = 'hstore')"));
  return ServerTypes{.hstore = rows.size() > 0 ? rows.str(0, 0) : ""};
}

}  // namespace maia::postgres
