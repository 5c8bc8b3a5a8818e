// SPDX-License-Identifier: Apache-2.0
// The statements of WriteTarget that compare the table with staged rows.
#include <fmt/format.h>

#include "maia/connectors/mysql/value_literal.h"
#include "maia/connectors/mysql/write_target.h"
#include "maia/types/value_text.h"

namespace maia::mysql {
Result<std::string> WriteTarget::condition_sql(const RowCondition& rows, std::string_view prefix) const {
  std::string text;
  for (const auto& each : rows.all) {
    const auto column = target_.schema->find(each.column);
    if (!column || !in_key(*column)) {
      return Error{.code = Error::Code::invalid_config,
                   .message = each.column + " is not a key column of " + to_string(target_.name)};
    }
    // As a value of its type, because a number would be compared with a text as a double.
    const auto& type = target_.schema->columns[*column].type;
    std::string literals;
    for (const auto& literal : each.literals) {
      ColumnVector value(physical(type));
      MAIA_TRY(in("column " + each.column, push_value_text(value, type, literal)));
      if (!literals.empty()) literals += ", ";
      MAIA_TRY(in("column " + each.column, append_literal(literals, type, value, 0)));
    }
    text += fmt::format(" and {}.{} {} ({})", prefix, names_[*column], sign(each.how), literals);
  }
  return text;
}

std::string WriteTarget::compare_create() const {
  const auto key = by_key() ? fmt::format(", primary key ({})", list(target_.key)) : "";
  return fmt::format("create temporary table {} ({}{}) engine = InnoDB", compare_, definitions(by_key()),
                     key);
}

std::string WriteTarget::compare_head() const {
  return fmt::format("insert into {} ({}) values ", compare_, list(written_));
}

std::string WriteTarget::remove_surplus(const std::string& condition) const {
  return fmt::format("delete t from {} t left join {} s on {} where s.{} is null{}", table_, compare_,
                     key_joins("s", false), names_[target_.key.front()], condition);
}

/// Texts that only look equal to the column's collation differ.
std::string WriteTarget::differs() const {
  std::string equal;
  for (const auto i : written_) {
    if (in_key(i)) continue;
    const auto* form = tells_texts_apart(there_[i]->type) ? "t.{0} <=> s.{0}"
                                                          : "cast(t.{0} as binary) <=> cast(s.{0} as binary)";
    equal += (equal.empty() ? "" : " and ") + fmt::format(fmt::runtime(form), names_[i]);
  }
  return equal.empty() ? "false" : "not (" + equal + ")";
}

std::string WriteTarget::update_different(const std::string& condition) const {
  const auto values = assignments(written_, "s");
  if (values.empty()) return {};
  return fmt::format("update {} s straight_join {} on {} set {} where {}{}", compare_, sought_,
                     key_joins("s", false), values, differs(), condition);
}

std::string WriteTarget::remove_different(const std::string& condition) const {
  return fmt::format("delete t from {} s straight_join {} on {} where {}{}", compare_, sought_,
                     key_joins("s", false), differs(), condition);
}

std::string WriteTarget::insert_absent(const std::string& condition) const {
  const auto into = fmt::format("insert into {} ({}) select {} from {} s", table_, list(written_),
                                list(written_, "s."), compare_);
  if (!by_key()) return into;
  return fmt::format("{} left join {} on {} where t.{} is null{}", into, sought_, key_joins("s", false),
                     names_[target_.key.front()], condition);
}

std::string WriteTarget::remove_all() const { return "delete from " + table_; }

}  // namespace maia::mysql
