// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/write_target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

/// A name that no column has.
std::string unused_name(const TableSchema& schema, std::string name) {
  while (schema.find(name)) name += '_';
  return name;
}

}  // namespace

Result<WriteTarget> WriteTarget::bind(const TableTarget& target, StoredTable stored, std::size_t number) {
  WriteTarget bound(target, std::move(stored));
  const auto& columns = bound.target_.schema->columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto* there = bound.stored_.find(columns[i].name);
    if (there == nullptr) {
      return Error{.code = Error::Code::invalid_config,
                   .message = fmt::format("table {} has no column {} at the destination",
                                          to_string(target.name), columns[i].name)};
    }
    if (!there->computed) {
      bound.written_.push_back(i);
    } else if (bound.in_key(i)) {
      return Error{.code = Error::Code::invalid_config,
                   .message = fmt::format("the key column {} of table {} is computed at the destination",
                                          columns[i].name, to_string(target.name))};
    }
    bound.types_.push_back(there->type.full);
  }
  bound.has_columns_of_its_own_ = std::any_of(
      bound.stored_.columns.begin(), bound.stored_.columns.end(), [&](const StoredColumn& column) {
        return !column.computed && !bound.target_.schema->find(column.name);
      });
  MAIA_TRY(bound.quote_names(number));
  bound.copy_encoder_ = CopyEncoder(bound.fields());
  auto staged = bound.fields();
  for (const auto i : bound.target_.key) {
    staged.push_back({columns[i].type, bound.stored_.find(columns[i].name)->type.name});
  }
  bound.stage_encoder_ = CopyEncoder(std::move(staged));
  return bound;
}

Status WriteTarget::quote_names(std::size_t number) {
  table_ = MAIA_TRY(sql::postgres_table(target_.name));
  stage_ = fmt::format("pg_temp.maia_stage_{}", number);
  compare_ = fmt::format("pg_temp.maia_compare_{}", number);
  group_column_ = MAIA_TRY(sql::postgres_identifier(unused_name(*target_.schema, "maia_group")));
  for (const auto& column : target_.schema->columns) {
    names_.push_back(MAIA_TRY(sql::postgres_identifier(column.name)));
  }
  for (std::size_t k = 0; k < target_.key.size(); ++k) {
    const auto name = unused_name(*target_.schema, fmt::format("maia_old_{}", k));
    old_key_names_.push_back(MAIA_TRY(sql::postgres_identifier(name)));
  }
  return {};
}

std::vector<CopyField> WriteTarget::fields() const {
  std::vector<CopyField> fields;
  for (const auto i : written_) {
    const auto& column = target_.schema->columns[i];
    fields.push_back({column.type, stored_.find(column.name)->type.name});
  }
  return fields;
}

bool WriteTarget::in_key(std::size_t column) const {
  return std::find(target_.key.begin(), target_.key.end(), column) != target_.key.end();
}

std::string WriteTarget::list(std::span<const std::size_t> columns, std::string_view prefix) const {
  std::string text;
  for (const auto i : columns) {
    if (!text.empty()) text += ", ";
    text.append(prefix).append(names_[i]);
  }
  return text;
}

std::string WriteTarget::assignments(std::span<const std::size_t> columns, std::string_view prefix,
                                     bool key_too) const {
  std::string text;
  std::size_t parameter = 0;
  for (const auto i : columns) {
    ++parameter;
    if (!key_too && in_key(i)) continue;
    if (!text.empty()) text += ", ";
    text += names_[i] + " = ";
    text += prefix.empty() ? fmt::format("${}", parameter) : std::string(prefix) + names_[i];
  }
  return text;
}

std::string WriteTarget::key_equals(std::size_t first_parameter) const {
  std::string text;
  for (const auto i : target_.key) {
    if (!text.empty()) text += " and ";
    text += fmt::format("{} = ${}", names_[i], first_parameter++);
  }
  return text;
}

std::string WriteTarget::key_joins(std::string_view stage, bool old) const {
  std::string text;
  for (std::size_t k = 0; k < target_.key.size(); ++k) {
    const auto& name = names_[target_.key[k]];
    text += fmt::format("{}t.{} = {}.{}", k == 0 ? "" : " and ", name, stage, old ? old_key_names_[k] : name);
  }
  return text;
}

std::string WriteTarget::on_conflict() const {
  const auto update = assignments(written_, "excluded.", false);
  return fmt::format(" on conflict ({}) do {}", list(target_.key),
                     update.empty() ? "nothing" : "update set " + update);
}

/// What tells a row from others where there is no key: the text of all its values. It tells apart what "=" of
/// a type takes for equal, it exists for every type, and arrays take NULLs as equal and can be hashed.
std::string WriteTarget::identity(std::string_view prefix) const {
  std::string text;
  for (const auto i : written_) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}{}::text collate \"C\"", prefix, names_[i]);
  }
  return "array[" + text + "]";
}

std::string WriteTarget::row_insert_sql() const {
  std::string values;
  for (std::size_t i = 1; i <= written_.size(); ++i) values += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  return fmt::format("insert into {} as t ({}) overriding system value values ({})", table_, list(written_),
                     values);
}

std::string WriteTarget::row_remove_one_sql() const {
  std::string given;
  for (std::size_t i = 0; i < written_.size(); ++i) {
    given += fmt::format("{}${}::{}::text collate \"C\"", i == 0 ? "" : ", ", i + 1, cast_type(written_[i]));
  }
  return fmt::format(
      "with one as materialized (select tableoid as part, ctid as place from {0} where {1} = array[{2}] "
      "limit 1) "
      "delete from {0} t using one where t.ctid = one.place and t.tableoid = one.part",
      table_, identity(""), given);
}

std::string WriteTarget::sql(Statement statement, std::span<const std::size_t> columns) const {
  switch (statement) {
    case Statement::insert: return row_insert_sql();
    case Statement::insert_absent:
      return row_insert_sql() + fmt::format(" on conflict ({}) do nothing", list(target_.key));
    case Statement::upsert: return row_insert_sql() + on_conflict();
    case Statement::update:
    case Statement::move:
      return fmt::format("update {} set {} where {}", table_,
                         assignments(columns, "", statement == Statement::move),
                         key_equals(columns.size() + 1));
    case Statement::make_room:
      return fmt::format("delete from {0} where {1} and exists (select from {0} where {2})", table_,
                         key_equals(1), key_equals(target_.key.size() + 1));
    case Statement::remove: return fmt::format("delete from {} where {}", table_, key_equals(1));
    case Statement::remove_one: return row_remove_one_sql();
    case Statement::insert_many: return insert_sql(array_rows(written_));
    case Statement::upsert_many: return insert_sql(array_rows(written_)) + on_conflict();
    case Statement::update_many: return update_sql(columns, array_rows(columns));
    case Statement::remove_many: return remove_sql(array_rows(target_.key));
    case Statement::remove_each: return remove_each_sql(array_rows(written_));
  }
  return {};
}

std::string WriteTarget::cast_type(std::size_t column) const {
  return unlimited(stored_.find(target_.schema->columns[column].name)->type);
}

std::string WriteTarget::array_rows(std::span<const std::size_t> columns) const {
  std::string arrays;
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& column = target_.schema->columns[columns[i]];
    const auto type = cast_type(columns[i]);
    // Elements that are arrays themselves, or that are not separated by commas, go as text.
    const bool plain = binary_encoder(column.type, stored_.find(column.name)->type.name) != nullptr;
    const auto* comma = i == 0 ? "" : ", ";
    arrays += fmt::format("{}${}::{}[]", comma, i + 1, plain ? type : "text");
    names += fmt::format("{}a{}", comma, i);
    values += fmt::format("{}a{}{} as {}", comma, i, plain ? "" : "::" + type, names_[columns[i]]);
  }
  return fmt::format("(select {} from unnest({}) as given({})) s", values, arrays, names);
}

std::string WriteTarget::group_rows() const {
  return fmt::format("(select * from {} where {} = $1) s", stage_, group_column_);
}

std::string WriteTarget::remove_sql(const std::string& rows) const {
  return fmt::format("delete from {} t using {} where {}", table_, rows, key_joins("s", false));
}

std::string WriteTarget::remove_each_sql(const std::string& rows) const {
  return fmt::format(
      "with wanted as materialized (select {0} as row, count(*) as times from {1} group by 1), "
      "found as (select t.tableoid as part, t.ctid as place, w.times, "
      "row_number() over (partition by w.row) as number from {2} t join wanted w on {3} = w.row) "
      "delete from {2} t using found f where t.tableoid = f.part and t.ctid = f.place and f.number <= "
      "f.times",
      identity("s."), rows, table_, identity("t."));
}

std::string WriteTarget::update_sql(std::span<const std::size_t> columns, const std::string& rows) const {
  return fmt::format("update {} t set {} from {} where {}", table_, assignments(columns, "s.", false), rows,
                     key_joins("s", false));
}

std::string WriteTarget::insert_sql(const std::string& rows) const {
  return fmt::format("insert into {} as t ({}) overriding system value select {} from {}", table_,
                     list(written_), list(written_, "s."), rows);
}

std::string WriteTarget::copy_sql() const {
  return fmt::format("copy {} ({}) from stdin{}", table_, list(written_),
                     copy_encoder_.binary() ? " with (format binary)" : "");
}

std::string WriteTarget::stage_create_sql() const {
  std::string columns;
  for (const auto i : written_) columns += fmt::format(", {} {}", names_[i], types_[i]);
  for (std::size_t k = 0; k < target_.key.size(); ++k) {
    columns += fmt::format(", {} {}", old_key_names_[k], types_[target_.key[k]]);
  }
  return fmt::format("create temporary table {} ({} integer{}) on commit delete rows", stage_, group_column_,
                     columns);
}

std::string WriteTarget::stage_copy_sql() const {
  return fmt::format("copy {} from stdin{}", stage_, stage_encoder_.binary() ? " with (format binary)" : "");
}

std::string WriteTarget::group_take_sql(std::span<const std::size_t> columns, bool moved) const {
  std::string values;
  for (const auto i : written_) {
    const bool given = std::find(columns.begin(), columns.end(), i) != columns.end();
    values += fmt::format("{}{}.{}", values.empty() ? "" : ", ", given ? "s" : "t", names_[i]);
  }
  return fmt::format(
      "with gone as (delete from {} t using {} where {} returning {}) "
      "insert into {} ({}, {}) select $2::integer, * from gone",
      table_, group_rows(), key_joins("s", moved), values, stage_, group_column_, list(written_));
}

}  // namespace maia::postgres
