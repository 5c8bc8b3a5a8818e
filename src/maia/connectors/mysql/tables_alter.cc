// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "maia/connectors/mysql/tables.h"
#include "maia/connectors/mysql/value_literal.h"
#include "maia/sql/quote.h"
#include "maia/types/value_text.h"

namespace maia::mysql {
namespace {

using sql::mysql_identifier;
using Kind = ColumnChange::Kind;

constexpr std::string_view kMark = "maia: version ";

std::string mark_of(const TableTarget& target) { return fmt::format("{}{}", kMark, target.schema->version); }

/// The comment of a table with the version that it has been brought to; what else is in it stays.
std::string marked(const std::string& comment, const TableTarget& target) {
  auto kept = comment.substr(0, comment.find(kMark));
  if (!kept.empty() && !kept.ends_with(' ')) kept += ' ';
  return kept + mark_of(target);
}

bool is_number(const Type& type) {
  return type.id == TypeId::boolean || type.id == TypeId::int16 || type.id == TypeId::int32 ||
         type.id == TypeId::int64 || (type.id == TypeId::decimal && type.precision > 0);
}

/// Whether the server changes stored values of one type into what the source has made of them: the same
/// number, or its canonical text.
bool converts_exactly(const Type& from, const Type& to) {
  const auto text = [](const Type& type) {
    return type.id == TypeId::string || type.id == TypeId::json || type.id == TypeId::array ||
           (type.id == TypeId::decimal && type.precision == 0);
  };
  if (text(to))
    return text(from) || from.id == TypeId::uuid || from.id == TypeId::interval ||
           (is_number(from) && from.id != TypeId::boolean);
  if (is_number(to)) return text(from) || (is_number(from) && from.scale <= to.scale);
  if (to.id == TypeId::float64) return from.id == TypeId::float32 || is_number(from);
  if (to.id == TypeId::timestamp) return from.id == TypeId::date;
  return from.id == to.id;
}

/// The clauses of one ALTER TABLE. The server takes them all as of the table before, so names may swap.
class TableChange {
 public:
  TableChange(const Connection& connection, const StoredTable& stored, const TableTarget& before,
              const TableTarget& after)
      : connection_(connection),
        stored_(stored),
        before_(before),
        after_(after),
        types_(stored_types(*after.schema, index_columns(after))) {}

  Result<std::vector<std::string>> clauses(const SchemaChange& change) {
    for (const auto& step : change.columns) {
      if (step.kind == Kind::rename) old_names_[step.column] = step.old_name;
    }
    MAIA_TRY(change_key());
    for (const auto& step : change.columns) MAIA_TRY(in("column " + step.column, take(step)));
    for (const auto& [name, changed] : changed_) MAIA_TRY(in("column " + name, define(name, changed)));
    return std::move(clauses_);
  }

 private:
  struct Changed {
    bool renamed = false;
    bool retyped = false;
    bool nullability = false;
  };

  Status take(const ColumnChange& step) {
    switch (step.kind) {
      case Kind::add: return add(step);
      case Kind::drop:
        if (stored_.find(step.column) != nullptr)
          clauses_.push_back("DROP COLUMN " + MAIA_TRY(mysql_identifier(step.column)));
        return {};
      case Kind::rename: changed_[step.column].renamed = true; return {};
      case Kind::retype: changed_[step.column].retyped = true; return {};
      case Kind::nullability: changed_[step.column].nullability = true; return {};
      case Kind::key:                       // done first
      case Kind::default_value: return {};  // every row comes with all of its values
    }
    return {};
  }

  Result<std::size_t> index(const std::string& name) const {
    if (const auto i = after_.schema->find(name)) return *i;
    return Error{.message = to_string(after_.name) + " has no such column after the change that names it"};
  }
  std::string old_name(const std::string& name) const {
    const auto renamed = old_names_.find(name);
    return renamed == old_names_.end() ? name : renamed->second;
  }

  Status add(const ColumnChange& step) {
    const auto i = MAIA_TRY(index(step.column));
    auto column = after_.schema->columns[i];
    // Made by hand beforehand; verified at the end.
    if (stored_.find(step.column) != nullptr && !before_.schema->find(step.column)) return {};
    const auto index = index_columns(after_);
    // For rows that are there a column without a default would hold zeros that nobody has written.
    if (!step.existing_rows && std::find(index.begin(), index.end(), i) == index.end())
      column.nullable = true;
    auto text = "ADD COLUMN " + MAIA_TRY(column_definition(connection_, column, types_[i]));
    if (step.existing_rows) {
      ColumnVector value(physical(column.type));
      MAIA_TRY(push_value_text(value, column.type, *step.existing_rows));
      text += " DEFAULT (";
      MAIA_TRY(append_literal(text, column.type, value, 0));
      text += ")";
    }
    clauses_.push_back(std::move(text));
    return {};
  }

  Status define(const std::string& name, const Changed& changed) {
    const auto i = MAIA_TRY(index(name));
    const auto from = old_name(name);
    const auto* there = stored_.find(from);
    if (there == nullptr) return Error{.code = Error::Code::invalid_config, .message = "it is not there"};
    const auto old_identifier = MAIA_TRY(mysql_identifier(from));
    const auto& column = after_.schema->columns[i];
    const bool other_type = changed.retyped && !can_hold(there->type, column.type);
    if (!other_type && !changed.nullability) {
      if (changed.renamed)
        clauses_.push_back(
            fmt::format("RENAME COLUMN {} TO {}", old_identifier, MAIA_TRY(mysql_identifier(name))));
      return {};
    }
    const StoredType as_it_is{.sql = there->sql(), .note = {}};
    if (other_type) MAIA_TRY(check_conversion(from, column.type));
    clauses_.push_back(
        fmt::format("CHANGE COLUMN {} {}", old_identifier,
                    MAIA_TRY(column_definition(connection_, column, other_type ? types_[i] : as_it_is))));
    return {};
  }

  Status check_conversion(const std::string& from, const Type& to) const {
    const auto i = before_.schema->find(from);
    if (i && converts_exactly(before_.schema->columns[*i].type, to)) return {};
    return Error{
        .code = Error::Code::data,
        .message = fmt::format("the rows that are there cannot be changed to {} exactly", to_string(to)),
        .hint =
            "rename the table out of the way at the destination and `maia resync` it, which makes "
            "and copies it again"};
  }

  /// Columns that come into the key get a length and must not be NULL.
  Status change_key() {
    if (index_columns(after_).empty()) return {};
    std::vector<std::string> there;
    for (const auto& name : after_.key_names()) there.push_back(old_name(name));
    if (stored_.unique_key(there) != nullptr) return {};
    if (!stored_.primary_key.empty()) clauses_.emplace_back("DROP PRIMARY KEY");
    clauses_.push_back("ADD PRIMARY KEY (" + MAIA_TRY(listed(after_.key_names())) + ")");
    for (const auto i : after_.key) {
      const auto& name = after_.schema->columns[i].name;
      const auto* column = stored_.find(old_name(name));
      const bool is_long =
          column != nullptr && (column->type.name == "longtext" || column->type.name == "longblob");
      if (!is_long) continue;
      clauses_.push_back(
          fmt::format("CHANGE COLUMN {} {}", MAIA_TRY(mysql_identifier(column->name)),
                      MAIA_TRY(column_definition(connection_, after_.schema->columns[i], types_[i]))));
    }
    return {};
  }

  const Connection& connection_;
  const StoredTable& stored_;
  const TableTarget& before_;
  const TableTarget& after_;
  std::vector<StoredType> types_;
  std::map<std::string, std::string> old_names_;  ///< by the new one
  std::map<std::string, Changed> changed_;
  std::vector<std::string> clauses_;
};

/// Rows that come have all their values; the default was for those that were there.
Status drop_defaults(Connection& connection, const TableTarget& after, const SchemaChange& change) {
  const auto stored = MAIA_TRY(read_stored_table(connection, after.name));
  for (const auto& step : change.columns) {
    const auto* there = stored ? stored->find(step.column) : nullptr;
    if (step.kind != Kind::add || !step.existing_rows || there == nullptr || !there->has_default) continue;
    const auto table = MAIA_TRY(sql::mysql_table(after.name));
    const auto column = MAIA_TRY(mysql_identifier(step.column));
    MAIA_TRY(connection.run(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT", table, column)));
  }
  return {};
}

Error not_there(const TableName& name) {
  return {.code = Error::Code::invalid_config,
          .message = "the table " + to_string(name) + " is not at the destination any more",
          .hint = "`maia resync` makes it and copies its rows again"};
}

}  // namespace

Status alter_table(Connection& connection, const TableTarget& before, const TableTarget& after,
                   const SchemaChange& change) {
  auto there = MAIA_TRY(read_stored_table(connection, after.name));
  const bool done = there && there->comment.ends_with(mark_of(after)) && verify_table(*there, after).ok();
  if (done) return drop_defaults(connection, after, change);
  if (before.name != after.name) {
    MAIA_TRY(ensure_database(connection, after.name.schema));
    there = MAIA_TRY(read_stored_table(connection, before.name));
  }
  if (!there) return not_there(before.name);
  auto clauses = MAIA_TRY(TableChange(connection, *there, before, after).clauses(change));
  clauses.push_back("COMMENT = " + MAIA_TRY(sql::mysql_literal(marked(there->comment, after))));
  if (before.name != after.name) clauses.push_back("RENAME TO " + MAIA_TRY(sql::mysql_table(after.name)));
  auto altered = connection.run(
      fmt::format("ALTER TABLE {} {}", MAIA_TRY(sql::mysql_table(before.name)), fmt::join(clauses, ", ")));
  if (!altered.ok()) {
    auto error = std::move(altered).error();
    if (error.code == Error::Code::data && error.hint.empty())
      error.hint = "rows that are there do not fit the new type; `maia resync` copies the table again";
    return error;
  }
  MAIA_TRY(drop_defaults(connection, after, change));
  const auto now = MAIA_TRY(read_stored_table(connection, after.name));
  return now ? verify_table(*now, after) : Status(not_there(after.name));
}

}  // namespace maia::mysql
