// SPDX-License-Identifier: Apache-2.0
// The statements of TableSql that compare the table with staged rows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/connectors/duckdb/table_sql.h"
#include "maia/sql/quote.h"

namespace maia::duckdb {

std::vector<std::string> TableSql::key_numbers() const {
  std::vector<std::string> keys;
  keys.reserve(target_->key.size());
  for (const auto column : target_->key) keys.push_back(fmt::format("c{}", column));
  return keys;
}

Result<std::string> TableSql::condition(const RowCondition& condition, std::string_view rows) const {
  std::string text;
  for (const auto& each : condition.all) {
    const auto column = target_->schema->find(each.column);
    if (!column || std::find(target_->key.begin(), target_->key.end(), *column) == target_->key.end()) {
      return Error{Error::Code::invalid_config, Recovery::halt,
                   fmt::format("{} is not a key column of {}", each.column, to_string(target_->name)), ""};
    }
    std::vector<std::string> literals;
    literals.reserve(each.literals.size());
    for (const auto& literal : each.literals) literals.push_back(MAIA_TRY(sql::duckdb_literal(literal)));
    const auto value = rows.empty() ? "t." + columns_[*column] : fmt::format("{}.c{}", rows, *column);
    text += fmt::format(" AND {} {} ({})", value, sign(each.how), fmt::join(literals, ", "));
  }
  return text;
}

std::string TableSql::remove_surplus(std::string_view rows, const std::string& condition) const {
  if (!target_->key.empty()) {
    return fmt::format("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM {} WHERE {}){}", table_, rows,
                       same_key(rows, key_numbers()), condition);
  }
  std::vector<std::string> here;
  std::vector<std::string> wanted;
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    here.push_back(exact(i, "t." + columns_[i]));
    wanted.push_back(fmt::format("{} AS k{}", exact(i, fmt::format("c{}", i)), i));
    equal.push_back(fmt::format("{} IS NOT DISTINCT FROM g.k{}", here.back(), i));
  }
  return fmt::format(
      "DELETE FROM {0} WHERE rowid IN (SELECT r FROM (SELECT t.rowid AS r, coalesce(g.n, 0) AS n, "
      "row_number() OVER (PARTITION BY {1}) AS place FROM {0} AS t LEFT JOIN (SELECT {2}, count(*) AS n FROM "
      "{3} GROUP BY ALL) AS g ON {4}) WHERE place > n)",
      table_, fmt::join(here, ", "), fmt::join(wanted, ", "), rows, fmt::join(equal, " AND "));
}

std::string TableSql::update_changed(std::string_view rows, const std::string& condition) const {
  std::vector<std::string> sets;
  std::vector<std::string> differs;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto staged = fmt::format("{}.c{}", rows, i);
    if (std::find(target_->key.begin(), target_->key.end(), i) != target_->key.end()) continue;
    sets.push_back(fmt::format("{} = {}", columns_[i], staged));
    differs.push_back(fmt::format("{} IS DISTINCT FROM {}", exact(i, "t." + columns_[i]), exact(i, staged)));
  }
  if (target_->key.empty() || sets.empty()) return {};
  return fmt::format("UPDATE {} AS t SET {} FROM {} WHERE {} AND ({}){}", table_, fmt::join(sets, ", "), rows,
                     same_key(rows, key_numbers()), fmt::join(differs, " OR "), condition);
}

std::string TableSql::insert_missing(std::string_view rows, const std::string& condition) const {
  const auto all = numbered('c', columns_.size());
  const auto into = fmt::format("INSERT INTO {} ({}) SELECT {} FROM ", table_, fmt::join(columns_, ", "),
                                fmt::join(all, ", "));
  if (!target_->key.empty()) {
    return into + fmt::format("{} WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE {}){}", rows, table_,
                              same_key(rows, key_numbers()), condition);
  }
  std::vector<std::string> there;
  std::vector<std::string> wanted;
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    there.push_back(fmt::format("{} AS k{}", exact(i, columns_[i]), i));
    wanted.push_back(exact(i, fmt::format("{}.c{}", rows, i)));
    equal.push_back(fmt::format("{} IS NOT DISTINCT FROM h.k{}", wanted.back(), i));
  }
  return into +
         fmt::format(
             "(SELECT {0}.*, coalesce(h.n, 0) AS n, row_number() OVER (PARTITION BY {1}) AS place FROM {0} "
             "LEFT JOIN (SELECT {2}, count(*) AS n FROM {3} GROUP BY ALL) AS h ON {4}) WHERE place > n",
             rows, fmt::join(wanted, ", "), fmt::join(there, ", "), table_, fmt::join(equal, " AND "));
}

}  // namespace maia::duckdb
