// SPDX-License-Identifier: Apache-2.0
// The statements of WriteTarget that compare the table with staged rows.
#include <fmt/format.h>

#include "maia/connectors/postgres/write_target.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

std::string counted(const std::string& with, const std::string& change) {
  return fmt::format("with {}done as ({} returning 1) select count(*) from done", with, change);
}

}  // namespace

Result<std::string> WriteTarget::condition_sql(const RowCondition& rows, std::string_view prefix) const {
  std::string text;
  for (const auto& each : rows.all) {
    const auto column = target_.schema->find(each.column);
    if (!column || !in_key(*column)) {
      return Error{.code = Error::Code::invalid_config,
                   .message = each.column + " is not a key column of " + to_string(target_.name)};
    }
    std::string literals;
    for (const auto& literal : each.literals) {
      literals += fmt::format("{}{}::{}", literals.empty() ? "" : ", ",
                              MAIA_TRY(sql::postgres_literal(literal)), types_[*column]);
    }
    text += fmt::format(" and {}.{} {} ({})", prefix, names_[*column], sign(each.how), literals);
  }
  return text;
}

std::string WriteTarget::compare_create_sql() const {
  std::string columns;
  for (const auto i : written_)
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", names_[i], types_[i]);
  return fmt::format("drop table if exists {0}; create temporary table {0} ({1})", compare_, columns);
}

std::string WriteTarget::compare_copy_sql() const {
  return fmt::format("copy {} ({}) from stdin{}", compare_, list(written_),
                     copy_encoder_.binary() ? " with (format binary)" : "");
}

std::string WriteTarget::remove_surplus_sql(const std::string& condition) const {
  if (by_key()) {
    return counted("", fmt::format("delete from {} t where not exists (select from {} s where {}){}", table_,
                                   compare_, key_joins("s", false), condition));
  }
  return counted(
      fmt::format("wanted as materialized (select {0} as row, count(*) as times from {1} s group by 1), "
                  "found as materialized (select t.tableoid as part, t.ctid as place, {2} as row, "
                  "row_number() over (partition by {2}) as number from {3} t), "
                  "surplus as materialized (select f.part, f.place from found f left join wanted w on w.row "
                  "= f.row where f.number > coalesce(w.times, 0)), ",
                  identity("s."), compare_, identity("t."), table_),
      fmt::format("delete from {} t using surplus u where t.tableoid = u.part and t.ctid = u.place", table_));
}

std::string WriteTarget::update_changed_sql(const std::string& condition) const {
  const auto values = assignments(written_, "s.", false);
  if (!by_key() || values.empty()) return {};
  return counted("", fmt::format("update {} t set {} from {} s where {} and {} <> {}{}", table_, values,
                                 compare_, key_joins("s", false), identity("t."), identity("s."), condition));
}

std::string WriteTarget::insert_missing_sql(const std::string& condition) const {
  const auto into = fmt::format("insert into {} ({}) overriding system value ", table_, list(written_));
  if (by_key()) {
    return counted(
        "", into + fmt::format("select {} from {} s where not exists (select from {} t where {}){}",
                               list(written_, "s."), compare_, table_, key_joins("s", false), condition));
  }
  return counted(
      fmt::format("there as materialized (select {} as row, count(*) as times from {} t group by 1), "
                  "wanted as materialized (select s as whole, {} as row, row_number() over (partition by {}) "
                  "as number from {} s), ",
                  identity("t."), table_, identity("s."), identity("s."), compare_),
      into + fmt::format("select {} from wanted w left join there h on h.row = w.row where w.number > "
                         "coalesce(h.times, 0)",
                         list(written_, "(w.whole).")));
}

}  // namespace maia::postgres
