// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/write_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/value_literal.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// A name that no column of the table has.
std::string unused_name(const StoredTable& stored, std::string name) {
  while (stored.find(name) != nullptr) name += '_';
  return name;
}

}  // namespace

Result<WriteTarget> WriteTarget::bind(const TableTarget& target, StoredTable stored, std::size_t number) {
  WriteTarget bound(target, std::move(stored));
  MAIA_TRY(bound.quote_names(number));
  return bound;
}

Status WriteTarget::quote_names(std::size_t number) {
  table_ = MAIA_TRY(sql::mysql_table(target_.name));
  sought_ = table_ + " t";
  if (const auto* index = by_key() ? stored_.unique_key(target_.key_names()) : nullptr)
    sought_ += fmt::format(" force index ({})", MAIA_TRY(sql::mysql_identifier(index->name)));
  stage_ = fmt::format("maia.stage_{}", number);
  keep_ = fmt::format("maia.keep_{}", number);
  compare_ = fmt::format("maia.compare_{}", number);
  group_ = MAIA_TRY(sql::mysql_identifier(unused_name(stored_, "maia_group")));
  for (std::size_t i = 0; i < target_.schema->columns.size(); ++i) {
    const auto& name = target_.schema->columns[i].name;
    names_.push_back(MAIA_TRY(sql::mysql_identifier(name)));
    there_.push_back(stored_.find(name));
    if (there_[i] == nullptr) {
      return Error{.code = Error::Code::invalid_config,
                   .message = "the table " + to_string(target_.name) + " has no column " + name +
                              " at the destination any more",
                   .hint = "`maia resync` makes the table anew and copies its rows again"};
    }
    if (!there_[i]->computed) written_.push_back(i);
  }
  for (std::size_t i = 0; i < target_.key.size(); ++i)
    old_key_names_.push_back(
        MAIA_TRY(sql::mysql_identifier(unused_name(stored_, fmt::format("maia_old_{}", i)))));
  for (const auto& column : stored_.columns) {
    if (!column.computed && !target_.schema->find(column.name))
      own_names_.push_back(MAIA_TRY(sql::mysql_identifier(column.name)));
  }
  return {};
}

bool WriteTarget::in_key(std::size_t column) const {
  return std::find(target_.key.begin(), target_.key.end(), column) != target_.key.end();
}

Status WriteTarget::append_value(std::string& sql, std::size_t i, const sql::RowRef& row) const {
  const auto& column = target_.schema->columns[i];
  const auto& values = row.column(i);
  const auto refuse = [&](std::string why, std::string hint) {
    return Error{.code = Error::Code::data,
                 .message = fmt::format("column {}: {}", column.name, why),
                 .hint = std::move(hint)};
  };
  if (values.presence(row.row) == Presence::unchanged) {
    return refuse("a change came without its value",
                  "let the source send whole old rows for this table, or give it a key");
  }
  const auto from = sql.size();
  MAIA_TRY(in("column " + column.name, append_literal(sql, column.type, values, row.row)));
  const auto& type = there_[i]->type;
  // The server cuts blanks at the end of a text that is too long without an error.
  const bool limited = values.has_value(row.row) && values.physical() == Physical::varlen &&
                       type.length > 0 && type.name.ends_with("char");
  if (!limited || values.text(row.row).size() <= type.length ||
      characters(values.text(row.row)) <= type.length)
    return {};
  sql.resize(from);
  return refuse(fmt::format("a text is longer than the {} characters that the column holds", type.length),
                "make the column longer at the destination, or shorten it in a transform");
}

Status WriteTarget::append_values(std::string& sql, Columns columns, const sql::RowRef& row) const {
  sql += '(';
  for (const auto i : columns) {
    if (sql.back() != '(') sql += ',';
    MAIA_TRY(append_value(sql, i, row));
  }
  sql += ')';
  return {};
}

std::string WriteTarget::list(Columns columns, std::string_view prefix) const {
  std::string text;
  for (const auto i : columns) text += fmt::format("{}{}{}", text.empty() ? "" : ", ", prefix, names_[i]);
  return text;
}

std::string WriteTarget::insert_head() const {
  return fmt::format("insert into {} ({}) values ", table_, list(written_));
}

Result<std::string> WriteTarget::key_equals(const sql::RowRef& row) const {
  std::string text;
  const bool keyed = by_key();
  for (const auto i : keyed ? target_.key : written_) {
    text += fmt::format("{}{} {} ", text.empty() ? "" : " and ", names_[i], keyed ? "=" : "<=>");
    MAIA_TRY(append_value(text, i, row));
  }
  return text;
}

Result<std::string> WriteTarget::update_row(Columns columns, const sql::RowRef& values,
                                            const sql::RowRef& old) const {
  auto sql = fmt::format("update {} set ", table_);
  bool first = true;
  for (const auto i : columns) {
    sql += fmt::format("{}{} = ", first ? "" : ", ", names_[i]);
    MAIA_TRY(append_value(sql, i, values));
    first = false;
  }
  return sql + " where " + MAIA_TRY(key_equals(old));
}

Result<std::string> WriteTarget::remove_row(const sql::RowRef& old) const {
  // Of equal rows one goes.
  return fmt::format("delete from {} where {}{}", table_, MAIA_TRY(key_equals(old)),
                     by_key() ? "" : " limit 1");
}

Result<std::string> WriteTarget::exists_row(const sql::RowRef& row) const {
  return fmt::format("select 1 from {} where {}", table_, MAIA_TRY(key_equals(row)));
}

std::string WriteTarget::definitions(bool not_null_key) const {
  std::string text;
  for (const auto i : written_)
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", names_[i], there_[i]->sql(),
                        not_null_key && in_key(i) ? "not null" : "null");
  return text;
}

std::string WriteTarget::stage_create() const {
  auto columns = definitions(false);
  for (std::size_t i = 0; i < target_.key.size(); ++i)
    columns += fmt::format(", {} {} null", old_key_names_[i], there_[target_.key[i]]->sql());
  return fmt::format("create temporary table {0} ({1} int not null, {2}, key ({1})) engine = InnoDB", stage_,
                     group_, columns);
}

std::string WriteTarget::stage_head() const {
  std::string old_key;
  for (const auto& name : old_key_names_) old_key += ", " + name;
  return fmt::format("insert into {} ({}, {}{}) values ", stage_, group_, list(written_), old_key);
}

Status WriteTarget::append_staged(std::string& sql, int group, Columns columns, const sql::RowRef& row,
                                  const sql::RowRef* old) const {
  sql += fmt::format("({}", group);
  for (const auto i : written_) {
    sql += ',';
    if (std::find(columns.begin(), columns.end(), i) == columns.end()) {
      sql += "NULL";
    } else {
      MAIA_TRY(append_value(sql, i, row));
    }
  }
  for (const auto i : target_.key) {
    sql += ',';
    if (old == nullptr) {
      sql += "NULL";
    } else {
      MAIA_TRY(append_value(sql, i, *old));
    }
  }
  sql += ')';
  return {};
}

std::string WriteTarget::keep_create() const {
  auto columns = definitions(false);
  for (const auto& own : stored_.columns) {
    if (own.computed || target_.schema->find(own.name)) continue;
    columns += fmt::format(", {} {} null", sql::mysql_identifier(own.name).value(), own.sql());
  }
  return fmt::format("create temporary table {} ({}) engine = InnoDB", keep_, columns);
}

std::string WriteTarget::key_joins(std::string_view other, bool old) const {
  std::string text;
  for (std::size_t i = 0; i < target_.key.size(); ++i) {
    const auto& name = names_[target_.key[i]];
    text += fmt::format("{}t.{} = {}.{}", text.empty() ? "" : " and ", name, other,
                        old ? old_key_names_[i] : name);
  }
  return text;
}

std::string WriteTarget::keep_rows(int group, Columns columns, bool moved) const {
  std::string values, own;
  for (const auto i : written_) {
    const bool given = std::find(columns.begin(), columns.end(), i) != columns.end();
    values += fmt::format("{}{}.{}", values.empty() ? "" : ", ", given ? "s" : "t", names_[i]);
  }
  for (const auto& name : own_names_) {
    own += ", " + name;
    values += ", t." + name;
  }
  return fmt::format("insert into {} ({}{}) select {} from {} s straight_join {} on {} where s.{} = {}",
                     keep_, list(written_), own, values, stage_, sought_, key_joins("s", moved), group_,
                     group);
}

std::string WriteTarget::remove_kept() const {
  return fmt::format("delete t from {} k straight_join {} on {}", keep_, sought_, key_joins("k", false));
}

std::string WriteTarget::put_kept_back() const {
  std::string own;
  for (const auto& name : own_names_) own += ", " + name;
  return fmt::format("insert into {0} ({1}{2}) select {1}{2} from {3}", table_, list(written_), own, keep_);
}

std::string WriteTarget::remove_group(int group, bool moved) const {
  return fmt::format("delete t from {} s straight_join {} on {} where s.{} = {}", stage_, sought_,
                     key_joins("s", moved), group_, group);
}

std::string WriteTarget::assignments(Columns columns, std::string_view from) const {
  std::string text;
  for (const auto i : columns) {
    if (!in_key(i))
      text += fmt::format("{}t.{} = {}.{}", text.empty() ? "" : ", ", names_[i], from, names_[i]);
  }
  return text;
}

std::string WriteTarget::update_group(int group, Columns columns) const {
  const auto values = assignments(columns, "s");
  if (values.empty()) return {};
  return fmt::format("update {} s straight_join {} on {} set {} where s.{} = {}", stage_, sought_,
                     key_joins("s", false), values, group_, group);
}

std::string WriteTarget::insert_missing(int group) const {
  return fmt::format(
      "insert into {} ({}) select {} from {} s left join {} on {} where s.{} = {} and t.{} is null", table_,
      list(written_), list(written_, "s."), stage_, sought_, key_joins("s", false), group_, group,
      names_[target_.key.front()]);
}

}  // namespace maia::mysql
