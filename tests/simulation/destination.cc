// SPDX-License-Identifier: Apache-2.0
#include "destination.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::simulation {
namespace {

bool same_columns(const TableSchema& a, const TableSchema& b) {
  return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const Column& x, const Column& y) { return x.name == y.name && x.type == y.type; });
}

TableSchema in_order(TableSchema schema) {
  std::sort(schema.columns.begin(), schema.columns.end(),
            [](const Column& a, const Column& b) { return a.name < b.name; });
  return schema;
}

/// The row as the batch tells it; what was not sent is taken from `old`, or is nothing.
std::optional<Row> told_row(const Batch& batch, std::size_t row, const Row* old) {
  Row told;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    auto value = value_at(batch.after(i), batch.schema()->columns[i].type, row);
    if (!value && old == nullptr) return std::nullopt;
    told.push_back(value ? std::move(*value) : (*old)[i]);
  }
  return told;
}

Row old_key(const Delivery& delivery, std::size_t row) {
  Row key;
  const auto& batch = *delivery.batch;
  for (const auto column : delivery.target->key) {
    const auto& type = batch.schema()->columns[column].type;
    auto value = value_at(batch.old_key(column, row), type, row);
    key.push_back(value ? std::move(*value) : Value());
  }
  return key;
}

Row columns_of(const Row& row, const std::vector<std::size_t>& columns) {
  Row some;
  for (const auto column : columns) some.push_back(row[column]);
  return some;
}

std::vector<Row>::iterator find_key(Table& table, const std::vector<std::size_t>& columns, const Row& key) {
  return std::find_if(table.rows.begin(), table.rows.end(),
                      [&](const Row& each) { return columns_of(each, columns) == key; });
}

bool holds(const Value& value, const RowCondition::Comparison& comparison, const Type& type) {
  using Compare = RowCondition::Compare;
  const auto literal = from_text(comparison.literals.front(), type);
  switch (comparison.how) {
    case Compare::equal: return value == literal;
    case Compare::less: return value < literal;
    case Compare::at_most: return value <= literal;
    case Compare::greater: return value > literal;
    case Compare::at_least: return value >= literal;
    case Compare::one_of: break;
  }
  return std::any_of(comparison.literals.begin(), comparison.literals.end(),
                     [&](const std::string& each) { return value == from_text(each, type); });
}

bool meets(const Row& row, const TableSchema& schema, const RowCondition& condition) {
  return std::all_of(condition.all.begin(), condition.all.end(), [&](const auto& comparison) {
    const auto column = schema.find(comparison.column).value();
    return holds(row[column], comparison, schema.columns[column].type);
  });
}

std::set<std::string> operation_ids(const Table& log) {
  std::set<std::string> ids;
  const auto column = log.schema->find("_maia_id").value();
  for (const auto& row : log.rows) ids.insert(std::get<std::string>(row[column]));
  return ids;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::mirror: return "mirror";
    case Kind::overwriting: return "overwriting";
    case Kind::log: return "log";
    case Kind::loose_log: return "loose log";
  }
  return "";
}

std::vector<ColumnMapping> SimulatedDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> mappings;
  for (const auto& column : schema.columns) mappings.push_back({column.name, "any", Fidelity::exact, ""});
  return mappings;
}

Result<Destination::Opened> SimulatedDestination::open(std::string_view, Epoch held) {
  session_ = life_.session(store_.name);
  MAIA_TRY(call("open"));
  epoch_ = held.value;
  // The answer to an earlier call may have been lost.
  if (epoch_ != 0 && store_.taken_by != process_) MAIA_TRY(fenced());
  epoch_ = ++store_.epoch;
  store_.taken_by = process_;
  MAIA_TRY(call("opened"));
  return Opened{Epoch{epoch_}, store_.checkpoint};
}

Status SimulatedDestination::fenced() const {
  if (store_.epoch == epoch_ || store_.flaw == Flaw::lost_epoch_check) return {};
  return Error{Error::Code::fenced, Recovery::halt, "a newer run has the destination", ""};
}

Error SimulatedDestination::wrong(std::string what) const {
  const auto code = store_.epoch == epoch_ ? Error::Code::internal : Error::Code::data;
  return Error{code, Recovery::halt, std::move(what), ""};
}

Status SimulatedDestination::begin() {
  MAIA_TRY(call("begin"));
  if (transactional(store_.kind)) {
    working_ = store_.tables;
    return {};
  }
  return fenced();
}

/// The name that the table has by now, if it was renamed without a transaction.
const std::string& SimulatedDestination::current(const std::string& name) const {
  const auto next = store_.renamed.find(name);
  return next == store_.renamed.end() ? name : current(next->second);
}

Result<Table*> SimulatedDestination::table(const TableName& name) {
  if (!transactional(store_.kind)) MAIA_TRY(fenced());
  const auto found = tables().find(current(to_string(name)));
  if (found == tables().end()) return wrong("there is no table " + to_string(name));
  if (found->second.use_count() > 1) found->second = std::make_shared<Table>(*found->second);
  return found->second.get();
}

Status SimulatedDestination::prepare(const TableTarget& target) {
  MAIA_TRY(call("prepare"));
  auto& there = tables()[current(to_string(target.name))];
  // Without a transaction an earlier try, of which no checkpoint tells, has left one, of its shape then.
  if (!there || (!transactional(store_.kind) && there->rows.empty())) {
    there = std::make_shared<Table>();
    there->schema = target.schema;
    return {};
  }
  if (!transactional(store_.kind) && there->schema->version < target.schema->version) {
    there = std::make_shared<Table>(*there);
    there->rows = reshaped(there->rows, *there->schema, *target.schema, {});
    there->schema = target.schema;
  }
  if (store_.kind == Kind::log && !there->rows.empty()) {
    there = std::make_shared<Table>(*there);
    there->earlier = operation_ids(*there);
  }
  const bool newer = !transactional(store_.kind) && there->schema->version > target.schema->version;
  if (newer || same_columns(*there->schema, *target.schema)) return {};
  // The same columns in another order are those of a table that got them one by one.
  if (!transactional(store_.kind) && same_columns(in_order(*there->schema), in_order(*target.schema)))
    return {};
  return wrong(to_string(target.name) + " is prepared with another shape than it has");
}

Status SimulatedDestination::alter(const TableTarget& before, const TableTarget& after,
                                   const SchemaChange& change) {
  MAIA_TRY(call("alter"));
  auto& all = tables();
  const auto from = to_string(before.name);
  const auto to = to_string(after.name);
  const bool lenient = !transactional(store_.kind);
  if (from != to) {
    if (all.contains(from)) {
      if (all.contains(to)) return wrong(to + " is there already");
      if (lenient) {
        store_.renamed.erase(to);
        store_.renamed[from] = to;
      }
      all[to] = std::move(all.at(from));
      all.erase(from);
    } else if (!lenient) {
      return wrong("there is no table " + from);
    }
  }
  auto* table = MAIA_TRY(this->table(after.name));
  if (lenient && table->schema->version > after.schema->version) return {};
  std::vector<std::pair<std::string, Value>> fill;
  for (const auto& step : change.columns) {
    const auto at = after.schema->find(step.column);
    if (!at || !step.existing_rows) continue;
    const auto& column = after.schema->columns[*at];
    fill.emplace_back(step.column, from_text(*step.existing_rows, column.type));
    store_.fills[column.id] = fill.back().second;
  }
  table->rows = reshaped(table->rows, *table->schema, *after.schema, fill);
  table->schema = after.schema;
  return {};
}

Status SimulatedDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  MAIA_TRY(call("truncate"));
  for (const auto* target : targets) {
    auto* table = MAIA_TRY(this->table(target->name));
    table->rows.clear();
    table->earlier.clear();
  }
  return {};
}

Status SimulatedDestination::write(std::span<const Delivery> deliveries) {
  MAIA_TRY(call("write"));
  for (const auto& delivery : deliveries) {
    auto* table = MAIA_TRY(this->table(delivery.target->name));
    for (std::size_t row = 0; row < delivery.batch->rows(); ++row) {
      if (!transactional(store_.kind) && row > 0) MAIA_TRY(call("row"));
      MAIA_TRY(in(to_string(delivery.target->name), write_row(*table, delivery, row)));
    }
  }
  return {};
}

/// The row as its table has it, if the table's shape is newer already.
Row SimulatedDestination::fitted(Row row, const TableSchema& shape, const Table& table) const {
  if (transactional(store_.kind) || same_columns(shape, *table.schema)) return row;
  std::vector<std::pair<std::string, Value>> fill;
  for (const auto& column : table.schema->columns) {
    if (const auto known = store_.fills.find(column.id); known != store_.fills.end())
      fill.emplace_back(column.name, known->second);
  }
  return reshaped({row}, shape, *table.schema, fill).front();
}

Status SimulatedDestination::write_row(Table& table, const Delivery& delivery, std::size_t row) {
  const auto& batch = *delivery.batch;
  const auto& target = *delivery.target;
  const auto op = batch.op(row);
  const bool lenient = delivery.converging || !transactional(store_.kind);
  const auto& shape = *batch.schema();
  if (transactional(store_.kind) && !same_columns(shape, *table.schema))
    return wrong("a row has another shape than its table");
  if (target.mode == TableTarget::Mode::append) {
    auto told = told_row(batch, row, nullptr);
    if (!told || op != Op::insert) return wrong("an appended row is no whole insert");
    table.rows.push_back(fitted(std::move(*told), shape, table));
    return {};
  }
  const auto creates = op == Op::insert || op == Op::read;
  auto old = table.rows.end();
  if (!target.key.empty()) {
    old = find_key(table, target.key,
                   creates ? columns_of(told_row(batch, row, nullptr).value_or(Row()), target.key)
                           : old_key(delivery, row));
  } else if (!creates) {
    Row before;
    for (std::size_t i = 0; i < batch.columns(); ++i) {
      before.push_back(value_at(batch.before(i), batch.schema()->columns[i].type, row).value_or(Value()));
    }
    old = std::find(table.rows.begin(), table.rows.end(), fitted(std::move(before), shape, table));
  }
  const bool there = old != table.rows.end();
  if (op == Op::remove) {
    if (there) table.rows.erase(old);
    table.out_of_order = table.out_of_order || appends(store_.kind);
    return there || lenient ? Status() : wrong("a row is removed that is not there");
  }
  if (creates) {
    if (there && (!lenient || (delivery.fresh && transactional(store_.kind))))
      return wrong("a row is inserted that is there");
    auto told = told_row(batch, row, nullptr);
    if (!told) return wrong("an inserted row lacks values");
    if (there) table.rows.erase(old);
    table.rows.push_back(fitted(std::move(*told), shape, table));
    return {};
  }
  if (!there && !lenient) return wrong("a row is updated that is not there");
  return apply_update(table, delivery, row, old);
}

Status SimulatedDestination::apply_update(Table& table, const Delivery& delivery, std::size_t row,
                                          std::vector<Row>::iterator old) {
  const bool there = old != table.rows.end();
  const bool lenient = delivery.converging || !transactional(store_.kind);
  const bool whole = transactional(store_.kind);  // others are sent all values
  auto told = told_row(*delivery.batch, row, there && whole ? &*old : nullptr);
  if (told) told = fitted(std::move(*told), *delivery.batch->schema(), table);
  const auto& key = delivery.target->key;
  if (!there && !told) {
    // The row that it was may have moved already, with the values that are not sent again.
    return {};
  }
  if (!key.empty() && (!there || columns_of(*told, key) != columns_of(*old, key))) {
    if (there) table.rows.erase(old);
    const auto other = find_key(table, key, columns_of(*told, key));
    if (other != table.rows.end()) {
      if (!lenient) return wrong("a key is changed to one that is there");
      table.rows.erase(other);
    }
    table.rows.push_back(std::move(*told));
  } else if (there) {
    *old = std::move(*told);
  } else {
    table.rows.push_back(std::move(*told));
  }
  return {};
}

void SimulatedDestination::rollback() {
  working_.clear();
  if (dice_.percent(50)) staged_.clear();
}

Status SimulatedDestination::begin_staging(const TableTarget& target) {
  MAIA_TRY(call("begin staging"));
  staged_[to_string(target.name)] = std::make_shared<Table>();
  staged_[to_string(target.name)]->schema = target.schema;
  return {};
}

Status SimulatedDestination::stage(const TableTarget& target, const Batch& batch) {
  MAIA_TRY(call("stage"));
  const auto found = staged_.find(to_string(target.name));
  if (found == staged_.end()) return wrong("rows are staged before there is a place for them");
  auto& staged = *found->second;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    auto told = told_row(batch, row, nullptr);
    if (!told) return wrong("a staged row lacks values");
    if (!target.key.empty() &&
        find_key(staged, target.key, columns_of(*told, target.key)) != staged.rows.end())
      return wrong("a row is staged twice");
    staged.rows.push_back(std::move(*told));
  }
  return {};
}

Result<Destination::Reconciled> SimulatedDestination::reconcile(const TableTarget& target,
                                                                const Reconciliation& how) {
  MAIA_TRY(call("reconcile"));
  const auto staged = std::exchange(staged_[to_string(target.name)], nullptr);
  if (!staged) return wrong("nothing is staged to compare with");
  auto* table = MAIA_TRY(this->table(target.name));
  if (!same_columns(*staged->schema, *table->schema)) return wrong("rows are staged in another shape");
  const auto meant = [&](const Row& row) { return meets(row, *table->schema, how.rows); };
  Reconciled done;
  if (!how.keep_surplus) done.removed = std::erase_if(table->rows, meant);
  for (const auto& row : staged->rows) {
    if (!meant(row)) continue;
    if (!transactional(store_.kind)) MAIA_TRY(call("row"));
    table->rows.push_back(row);
    ++done.inserted;
  }
  return done;
}

Status SimulatedDestination::commit(const CheckpointUpdate& update) {
  MAIA_TRY(call("commit"));
  MAIA_TRY(fenced());
  const bool answer_lost = dice_.percent(store_.lost_answers);
  const Error lost{Error::Code::unknown_outcome, Recovery::reconnect, "the answer to the commit was lost",
                   ""};
  if (answer_lost && dice_.percent(50)) return lost;
  store_.checkpoint.sequence = update.sequence;
  store_.checkpoint.position = update.position;
  store_.checkpoint.seal = update.seal;
  for (const auto& [key, value] : update.facts) {
    if (value) {
      store_.checkpoint.facts[key] = *value;
    } else {
      store_.checkpoint.facts.erase(key);
    }
  }
  if (transactional(store_.kind)) store_.tables = std::move(working_);
  working_.clear();
  store_.on_commit(store_);
  // Whatever fails after the commit, the caller cannot know its outcome.
  if (answer_lost || !call("committed").ok()) return lost;
  return {};
}

}  // namespace maia::simulation
