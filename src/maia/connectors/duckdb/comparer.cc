// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/comparer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "maia/connectors/duckdb/loader.h"
#include "maia/connectors/duckdb/table_sql.h"
#include "maia/connectors/duckdb/type_map.h"

namespace maia::duckdb {

std::string Comparer::staging_of(const TableTarget& target) {
  return fmt::format("maia_compare_{}", numbers_.try_emplace(target.name, numbers_.size()).first->second);
}

Status Comparer::begin(const TableTarget& target) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < target.schema->columns.size(); ++i) {
    columns.push_back(fmt::format("c{} {}", i, stored_type(target.schema->columns[i].type, config_).sql));
  }
  return connection_.run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} ({})", staging_of(target), fmt::join(columns, ", ")),
      "compare");
}

Status Comparer::stage(const TableTarget& target, const Batch& batch) {
  std::vector<LoadColumn> columns;
  for (std::size_t i = 0; i < target.schema->columns.size(); ++i) columns.push_back({i});
  auto loader = MAIA_TRY(
      Loader::into_staging(connection_, staging_of(target), *target.schema, std::move(columns), config_));
  MAIA_TRY(loader.add(batch));
  return loader.finish();
}

Result<Destination::Reconciled> Comparer::reconcile(const TableTarget& target,
                                                    const Destination::Reconciliation& how) {
  const auto sql = MAIA_TRY(TableSql::of(catalog_, target));
  const auto staged = staging_of(target);
  const auto of_table = MAIA_TRY(sql.condition(how.rows));
  const auto of_staged = MAIA_TRY(sql.condition(how.rows, staged));
  const auto change = [&](const std::string& statement) -> Result<std::uint64_t> {
    if (statement.empty()) return std::uint64_t{0};
    return connection_.change(statement, {}, "compare");
  };
  Destination::Reconciled done;
  if (!how.keep_surplus) done.removed = MAIA_TRY(change(sql.remove_surplus(staged, of_table)));
  done.updated = MAIA_TRY(change(sql.update_changed(staged, of_staged)));
  done.inserted = MAIA_TRY(change(sql.insert_missing(staged, of_staged)));
  MAIA_TRY(connection_.run("DROP TABLE temp.main." + staged, "compare"));
  return done;
}

}  // namespace maia::duckdb
