// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::simulation {
namespace {

std::string shape_in_words(const TableSchema& schema) {
  std::string words = schema.name.table + "(";
  for (const auto& column : schema.columns) {
    if (words.back() != '(') words += ", ";
    words += column.name + " " + to_string(column.type) + (column.in_key ? " key" : "");
  }
  return words + ")";
}

}  // namespace

std::string in_words(const Change& change) {
  switch (change.kind) {
    case Change::Kind::insert:
      return fmt::format("insert {} {}", change.schema->name.table, in_words(change.after));
    case Change::Kind::update:
      return fmt::format("update {} {} to {}", change.schema->name.table, in_words(change.before),
                         in_words(change.after));
    case Change::Kind::remove:
      return fmt::format("delete {} {}", change.schema->name.table, in_words(change.before));
    case Change::Kind::truncate: return fmt::format("truncate {}", change.schema->name.table);
    case Change::Kind::schema: break;
  }
  if (!change.schema) return "create " + shape_in_words(*change.becomes);
  if (!change.becomes) return "drop " + change.schema->name.table;
  return fmt::format("alter {} to {}", change.schema->name.table, shape_in_words(*change.becomes));
}

void apply(const Change& change, std::map<std::string, Table>& tables) {
  const auto& id = change.table();
  if (change.kind == Change::Kind::schema) {
    if (!change.becomes) {
      tables.erase(id);
      return;
    }
    auto& table = tables[id];
    if (change.schema) {
      std::vector<std::pair<std::string, Value>> fill;
      bool rewritten = false;
      for (const auto& step : change.columns) {
        rewritten = rewritten || step.kind == ColumnChange::Kind::retype;
        if (!step.existing_rows) continue;
        const auto at = change.becomes->find(step.column);
        fill.emplace_back(step.column, from_text(*step.existing_rows, change.becomes->columns[*at].type));
      }
      table.rows = reshaped(table.rows, *change.schema, *change.becomes, fill);
      if (rewritten) ++table.file;
    }
    table.schema = change.becomes;
    return;
  }
  auto& table = tables[id];
  if (change.kind == Change::Kind::truncate) {
    table.rows.clear();
    ++table.file;
    return;
  }
  if (change.kind != Change::Kind::insert) {
    const auto old = std::find(table.rows.begin(), table.rows.end(), change.before);
    if (change.kind == Change::Kind::update) {
      *old = change.after;
    } else {
      table.rows.erase(old);
    }
  } else {
    table.rows.push_back(change.after);
  }
}

void Database::append(LogRecord record) {
  record.at = clock_.wall();
  log_.push_back(std::move(record));
}

void Database::commit(std::uint64_t transaction, const std::vector<ChangeRef>& changes) {
  append({.kind = LogRecord::Kind::commit, .transaction = transaction, .change = nullptr});
  auto tables = now();
  std::string words;
  for (const auto& change : changes) {
    apply(*change, tables);
    words += "; " + in_words(*change);
  }
  trace_.tell(fmt::format("  transaction {} commits at {}{}", transaction, end(), words));
  history_[end()] = std::move(tables);
  unlock(transaction);
}

bool Database::lock_row(const std::string& table, const Row& key, std::uint64_t transaction) {
  const auto whole = table_locks_.find(table);
  if (whole != table_locks_.end() && whole->second != transaction) return false;
  const auto [at, fresh] = row_locks_[table].try_emplace(key, transaction);
  return fresh || at->second == transaction;
}

bool Database::lock_table(const std::string& table, std::uint64_t transaction) {
  for (const auto& [key, holder] : row_locks_[table]) {
    if (holder != transaction) return false;
  }
  const auto [at, fresh] = table_locks_.try_emplace(table, transaction);
  return fresh || at->second == transaction;
}

void Database::unlock(std::uint64_t transaction) {
  std::erase_if(table_locks_, [&](const auto& lock) { return lock.second == transaction; });
  for (auto& [table, rows] : row_locks_) {
    std::erase_if(rows, [&](const auto& lock) { return lock.second == transaction; });
  }
}

}  // namespace maia::simulation
