// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::simulation {
namespace {

constexpr std::uint64_t kKeys = 24;

Type random_type(Dice& dice) {
  switch (dice.roll(4)) {
    case 0: return Type::of(TypeId::int32);
    case 1: return Type::of(TypeId::int64);
    case 2: return Type::decimal(12, 2);
    default: return Type::text();
  }
}

Column random_column(Database& database, Dice& dice) {
  Column column;
  column.id = fmt::format("{}", database.next());
  column.name = "c" + column.id;
  column.type = random_type(dice);
  // Large texts are not sent with updates that do not touch them.
  column.native_type = column.type.id == TypeId::string && dice.percent(60) ? "large" : "plain";
  return column;
}

}  // namespace

RunningTransaction::RunningTransaction(Database& database, const Habits& habits, std::uint64_t seed)
    : database_(database),
      habits_(habits),
      dice_(seed),
      id_(database.next()),
      pace_(dice_.percent(50) ? 100 : dice_.between(10, 60)),
      left_(habits.large && dice_.percent(25) ? dice_.between(15, 40) : dice_.between(1, 6)) {}

Database::Tables RunningTransaction::tables() const {
  auto tables = database_.now();
  for (const auto& change : changes_) apply(*change, tables);
  return tables;
}

void RunningTransaction::record(Change change) {
  changes_.push_back(std::make_shared<const Change>(std::move(change)));
  database_.append({.kind = LogRecord::Kind::change, .transaction = id_, .change = changes_.back()});
}

bool RunningTransaction::step() {
  if (!dice_.percent(pace_)) return false;
  if (left_-- > 0) {
    statement();
    return false;
  }
  finish();
  return true;
}

void RunningTransaction::finish() {
  if (habits_.aborts && dice_.percent(10)) {
    database_.append({.kind = LogRecord::Kind::abort, .transaction = id_, .change = nullptr});
    database_.unlock(id_);
    return;
  }
  database_.commit(id_, changes_);
}

void RunningTransaction::statement() {
  if (habits_.savepoints && dice_.percent(25)) {
    if (savepoints_.empty() || dice_.percent(50)) {
      savepoints_.push_back(changes_.size());
    } else {
      return roll_back_to_savepoint();
    }
  }
  const auto all = tables();
  if (all.empty()) return;
  const auto& table = std::next(all.begin(), static_cast<std::ptrdiff_t>(dice_.roll(all.size())))->second;
  const bool keyless = table.schema->key().empty() || table.schema->identity == Identity::none;
  if (keyless && !database_.lock_table(table.schema->id, id_)) return;
  if (habits_.schema_changes && dice_.percent(12)) return change_schema(table);
  if (habits_.truncates && dice_.percent(4)) {
    if (!database_.lock_table(table.schema->id, id_)) return;
    return record({.kind = Change::Kind::truncate, .schema = table.schema});
  }
  if (habits_.swaps && dice_.percent(10)) return swap(table);
  const auto what = dice_.roll(10);
  if (what < 4 || table.rows.empty()) return insert(table);
  if (what < 8) return update(table);
  remove(table);
}

void RunningTransaction::roll_back_to_savepoint() {
  const auto keep = savepoints_.back();
  savepoints_.pop_back();
  changes_.resize(keep);
  database_.append(
      {.kind = LogRecord::Kind::rollback_to, .transaction = id_, .change = nullptr, .keep = keep});
}

bool RunningTransaction::lock(const Table& table, const Row& row) {
  if (table.schema->key().empty()) return database_.lock_table(table.schema->id, id_);
  return database_.lock_row(table.schema->id, key_of(*table.schema, row), id_);
}

Value RunningTransaction::random_value(const Column& column) {
  if (column.in_key) {
    if (column.type.id == TypeId::string) return fmt::format("k{}", dice_.roll(kKeys));
    return static_cast<std::int64_t>(dice_.roll(kKeys));
  }
  if (column.nullable && dice_.percent(15)) return Value();
  if (column.type.id != TypeId::string) return static_cast<std::int64_t>(dice_.roll(100'000));
  return fmt::format("{}{}", dice_.roll(100'000), std::string(column.native_type == "large" ? 40 : 0, 'x'));
}

Row RunningTransaction::random_row(const TableSchema& schema) {
  Row row;
  for (const auto& column : schema.columns) row.push_back(random_value(column));
  return row;
}

namespace {

bool has_key(const Table& table, const Row& row) {
  const auto key = key_of(*table.schema, row);
  return !key.empty() && std::any_of(table.rows.begin(), table.rows.end(),
                                     [&](const Row& each) { return key_of(*table.schema, each) == key; });
}

}  // namespace

void RunningTransaction::insert(const Table& table) {
  auto row = random_row(*table.schema);
  if (has_key(table, row) || !lock(table, row)) return;
  record({.kind = Change::Kind::insert, .schema = table.schema, .before = {}, .after = std::move(row)});
}

void RunningTransaction::update(const Table& table) {
  const auto& old = dice_.one_of(table.rows);
  if (!lock(table, old)) return;
  auto next = old;
  std::vector<bool> touched(next.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    const auto& column = table.schema->columns[i];
    touched[i] = column.in_key ? habits_.key_updates && dice_.percent(20) : dice_.percent(40);
    if (touched[i]) next[i] = random_value(column);
  }
  const bool moves = key_of(*table.schema, next) != key_of(*table.schema, old);
  if (moves && (has_key(table, next) || !lock(table, next))) return;
  record({.kind = Change::Kind::update,
          .schema = table.schema,
          .before = old,
          .after = std::move(next),
          .touched = std::move(touched)});
}

void RunningTransaction::remove(const Table& table) {
  const auto& old = dice_.one_of(table.rows);
  if (!lock(table, old)) return;
  record({.kind = Change::Kind::remove, .schema = table.schema, .before = old, .after = {}});
}

/// Two rows exchange their keys, by way of a third that is free.
void RunningTransaction::swap(const Table& table) {
  if (table.schema->key().empty() || table.rows.size() < 2) return;
  const auto a = table.rows[0];
  const auto b = table.rows[1];
  auto between = a;
  std::vector<bool> touched(a.size());
  for (const auto i : table.schema->key()) {
    const bool text = table.schema->columns[i].type.id == TypeId::string;
    between[i] = text ? Value("between") : Value(static_cast<std::int64_t>(kKeys + 1));
    touched[i] = true;
  }
  if (!lock(table, a) || !lock(table, b) || has_key(table, between) || !lock(table, between)) return;
  auto a_as_b = a;
  auto b_as_a = b;
  for (const auto i : table.schema->key()) std::swap(a_as_b[i], b_as_a[i]);
  const auto move = [&](const Row& from, const Row& to) {
    record({.kind = Change::Kind::update,
            .schema = table.schema,
            .before = from,
            .after = to,
            .touched = touched});
  };
  move(a, between);
  move(b, b_as_a);
  move(between, a_as_b);
}

void RunningTransaction::change_schema(const Table& table) {
  const auto& before = table.schema;
  if (!database_.lock_table(before->id, id_)) return;
  TableSchema next = *before;
  ++next.version;
  std::vector<ColumnChange> steps;
  std::vector<std::size_t> plain;
  for (std::size_t i = 0; i < next.columns.size(); ++i) {
    if (!next.columns[i].in_key) plain.push_back(i);
  }
  const auto what = dice_.roll(10);
  if (what < 4 || plain.empty()) {
    auto column = random_column(database_, dice_);
    ColumnChange step{
        .kind = ColumnChange::Kind::add, .column = column.name, .old_name = {}, .existing_rows = {}};
    if (dice_.percent(50)) step.existing_rows = to_text(random_value(column), column.type);
    if (step.existing_rows && step.existing_rows->empty()) step.existing_rows.reset();
    next.columns.push_back(std::move(column));
    steps.push_back(std::move(step));
  } else if (what < 6 && plain.size() > 1) {
    const auto gone = dice_.one_of(plain);
    steps.push_back({.kind = ColumnChange::Kind::drop,
                     .column = next.columns[gone].name,
                     .old_name = {},
                     .existing_rows = {}});
    next.columns.erase(next.columns.begin() + static_cast<std::ptrdiff_t>(gone));
  } else if (what < 8) {
    auto& column = next.columns[dice_.one_of(plain)];
    steps.push_back({.kind = ColumnChange::Kind::rename,
                     .column = fmt::format("c{}", database_.next()),
                     .old_name = column.name,
                     .existing_rows = {}});
    column.name = steps.back().column;
  } else if (what == 8) {
    auto& column = next.columns[dice_.one_of(plain)];
    if (column.type.id == TypeId::string) return;
    column.type = column.type.id == TypeId::int32 ? Type::of(TypeId::int64) : Type::text();
    steps.push_back(
        {.kind = ColumnChange::Kind::retype, .column = column.name, .old_name = {}, .existing_rows = {}});
  } else {
    next.name.table = fmt::format("t{}", database_.next());
  }
  record({.kind = Change::Kind::schema,
          .schema = before,
          .becomes = std::make_shared<const TableSchema>(std::move(next)),
          .columns = std::move(steps),
          .before = {},
          .after = {}});
}

void RunningTransaction::create_table() {
  TableSchema schema;
  schema.id = fmt::format("{}", database_.next());
  schema.name = {"s", "t" + schema.id};
  const auto keys = dice_.percent(20) ? 0 : dice_.between(1, 2);
  for (std::uint64_t i = 0; i < keys; ++i) {
    auto column = random_column(database_, dice_);
    if (column.type.id == TypeId::decimal) column.type = Type::of(TypeId::int64);
    column.native_type = "plain";
    column.in_key = true;
    column.nullable = false;
    schema.columns.push_back(std::move(column));
  }
  for (std::uint64_t i = 0, n = dice_.between(1, 4); i < n; ++i) {
    schema.columns.push_back(random_column(database_, dice_));
  }
  schema.identity = keys == 0 || dice_.percent(30) ? Identity::full : Identity::key;
  const auto shape = std::make_shared<const TableSchema>(std::move(schema));
  record({.kind = Change::Kind::schema,
          .schema = nullptr,
          .becomes = shape,
          .columns = {},
          .before = {},
          .after = {}});
  for (std::uint64_t i = 0, n = dice_.roll(20); i < n; ++i) insert(tables().at(shape->id));
  database_.commit(id_, changes_);
}

}  // namespace maia::simulation
