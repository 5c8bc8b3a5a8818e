// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/connectors/duckdb/loader.h"

namespace maia::duckdb {
namespace {

/// New keys and values of rows that move, and the moved rows themselves.
constexpr std::string_view kMoves = "temp.main.maia_moves";
constexpr std::string_view kMoved = "temp.main.maia_moved";

bool only_new_rows(std::span<const Delivery* const> deliveries) {
  return std::all_of(deliveries.begin(), deliveries.end(), [](const Delivery* delivery) {
    const auto ops = delivery->batch->ops();
    return delivery->fresh &&
           std::all_of(ops.begin(), ops.end(), [](Op op) { return op == Op::read || op == Op::insert; });
  });
}

std::vector<LoadColumn> load_columns(std::span<const std::size_t> columns) {
  std::vector<LoadColumn> loads;
  for (const auto column : columns) loads.push_back({column});
  return loads;
}

/// "name type" for each of the columns.
std::vector<std::string> definitions(const TableTarget& target, const Config& config, char prefix,
                                     std::span<const std::size_t> columns) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& type = target.schema->columns[columns[i]].type;
    lines.push_back(fmt::format("{}{} {}", prefix, i, stored_type(type, config).sql));
  }
  return lines;
}

std::vector<std::size_t> all_columns(const TableTarget& target) {
  std::vector<std::size_t> columns(target.schema->columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;
  return columns;
}

}  // namespace

Status Writer::write(std::span<const Delivery> deliveries) {
  std::vector<const TableTarget*> targets;
  for (const auto& delivery : deliveries) {
    if (std::find(targets.begin(), targets.end(), delivery.target) == targets.end()) {
      targets.push_back(delivery.target);
    }
  }
  std::vector<const Delivery*> of_target;
  for (const auto* target : targets) {
    of_target.clear();
    for (const auto& delivery : deliveries) {
      if (delivery.target == target) of_target.push_back(&delivery);
    }
    auto written = write_table(*target, of_target);
    if (!written.ok()) return std::move(written).error().in(fmt::format("table {}", to_string(target->name)));
  }
  return {};
}

Status Writer::write_table(const TableTarget& target, std::span<const Delivery* const> deliveries) {
  if (target.mode == TableTarget::Mode::append || only_new_rows(deliveries)) {
    return append(target, deliveries);
  }
  return target.key.empty() ? write_multiset(target, deliveries) : write_keyed(target, deliveries);
}

Status Writer::append(const TableTarget& target, std::span<const Delivery* const> deliveries) {
  auto loader = MAIA_TRY(Loader::into_table(connection_, catalog_, target.name, *target.schema, config_));
  for (const auto* delivery : deliveries) MAIA_TRY(loader.add(*delivery->batch));
  return loader.finish();
}

Status Writer::write_keyed(const TableTarget& target, std::span<const Delivery* const> deliveries) {
  const auto sql = MAIA_TRY(TableSql::of(catalog_, target));
  net_changes_.start(target, deliveries);
  while (const auto* round = MAIA_TRY(net_changes_.next())) MAIA_TRY(apply(target, sql, *round));
  return {};
}

Status Writer::write_multiset(const TableTarget& target, std::span<const Delivery* const> deliveries) {
  const auto sql = MAIA_TRY(TableSql::of(catalog_, target));
  const auto* rows = MAIA_TRY(net_multiset_.reduce(target, deliveries));
  if (!rows->removes.empty()) {
    auto loader = MAIA_TRY(Loader::into_statement(connection_, sql.delete_each(Loader::kRows), *target.schema,
                                                  load_columns(all_columns(target)), config_));
    MAIA_TRY(loader.add(rows->removes));
    MAIA_TRY(loader.finish());
  }
  return insert(target, rows->inserts, {});
}

Status Writer::apply(const TableTarget& target, const TableSql& sql, const sql::NetRound& round) {
  // The rows that move are taken before anything changes, and put back after everything that must go is gone.
  if (!round.moves.empty()) MAIA_TRY(capture_moves(target, sql, round));
  MAIA_TRY(remove(target, sql, round));
  if (!round.moves.empty()) MAIA_TRY(put_moved(target, sql));
  for (const auto& group : round.updates) MAIA_TRY(update(target, sql, group));
  return insert(target, round.upserts, round.inserts);
}

Status Writer::capture_moves(const TableTarget& target, const TableSql& sql, const sql::NetRound& round) {
  const auto old_key = definitions(target, config_, 'o', target.key);
  const auto all = definitions(target, config_, 'c', all_columns(target));
  MAIA_TRY(connection_.run(fmt::format("CREATE OR REPLACE TEMP TABLE maia_moved ({}, {})",
                                       fmt::join(old_key, ", "), fmt::join(all, ", ")),
                           "write"));
  for (const auto& group : round.moves) {
    const auto given = definitions(target, config_, 'n', group.columns);
    MAIA_TRY(connection_.run(fmt::format("CREATE OR REPLACE TEMP TABLE maia_moves ({}, {})",
                                         fmt::join(old_key, ", "), fmt::join(given, ", ")),
                             "write"));
    std::vector<LoadColumn> columns;
    for (const auto column : target.key) columns.push_back({column, true});
    for (const auto column : group.columns) columns.push_back({column, false});
    auto loader = MAIA_TRY(
        Loader::into_staging(connection_, "maia_moves", *target.schema, std::move(columns), config_));
    MAIA_TRY(loader.add(group.rows, group.from));
    MAIA_TRY(loader.finish());
    MAIA_TRY(connection_.run(
        fmt::format("INSERT INTO {} {}", kMoved, sql.select_moved("maia_moves", group.columns)), "write"));
  }
  return connection_.run(fmt::format("DROP TABLE {}", kMoves), "write");
}

Status Writer::put_moved(const TableTarget& target, const TableSql& sql) {
  std::vector<std::string> new_key;
  for (const auto column : target.key) new_key.push_back(fmt::format("c{}", column));
  const auto old_key = TableSql::numbered('o', target.key.size());
  MAIA_TRY(connection_.run(sql.delete_by_key("maia_moved", old_key), "write"));
  MAIA_TRY(connection_.run(sql.delete_by_key("maia_moved", new_key), "write"));
  MAIA_TRY(connection_.run(sql.insert_all("maia_moved"), "write"));
  return connection_.run(fmt::format("DROP TABLE {}", kMoved), "write");
}

Status Writer::remove(const TableTarget& target, const TableSql& sql, const sql::NetRound& round) {
  if (round.removes.empty() && round.upserts.empty()) return {};
  const auto keys = TableSql::numbered('c', target.key.size());
  auto loader = MAIA_TRY(Loader::into_statement(connection_, sql.delete_by_key(Loader::kRows, keys),
                                                *target.schema, load_columns(target.key), config_));
  MAIA_TRY(loader.add(round.removes));
  MAIA_TRY(loader.add(round.upserts));
  return loader.finish();
}

Status Writer::update(const TableTarget& target, const TableSql& sql, const sql::UpdateGroup& group) {
  const auto statement = sql.update(Loader::kRows, group.columns);
  if (statement.empty()) return {};
  auto loader = MAIA_TRY(
      Loader::into_statement(connection_, statement, *target.schema, load_columns(group.columns), config_));
  MAIA_TRY(loader.add(group.rows));
  return loader.finish();
}

Status Writer::insert(const TableTarget& target, std::span<const sql::RowRef> rows,
                      std::span<const sql::RowRef> more) {
  if (rows.empty() && more.empty()) return {};
  auto loader = MAIA_TRY(Loader::into_table(connection_, catalog_, target.name, *target.schema, config_));
  MAIA_TRY(loader.add(rows));
  MAIA_TRY(loader.add(more));
  return loader.finish();
}

}  // namespace maia::duckdb
