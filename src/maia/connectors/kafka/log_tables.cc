// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/log_tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::kafka {
namespace {

constexpr std::string_view kUnreadableId = "#unreadable";

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

/// A topic's name has no such sign, so that no other topic's table has the id.
std::string id_of(const std::string& topic, const std::optional<TableName>& table) {
  return table ? topic + "#" + to_string(*table) : topic;
}

bool not_sent(const Datum& value) { return value.is(Datum::Kind::text) && value.text == kNotSent; }

Column column_of(std::string name, Type type, bool in_key) {
  Column column;
  column.name = std::move(name);
  column.id = column.name;
  column.native_type = to_string(type);
  column.type = std::move(type);
  column.in_key = in_key;
  column.nullable = !in_key;
  return column;
}

SchemaRef unreadable_table() {
  TableSchema schema;
  schema.id = kUnreadableId;
  schema.name = {"", "kafka_unreadable"};
  schema.columns = {column_of("topic", Type::text(), true),
                    column_of("partition_id", Type::of(TypeId::int32), true),
                    column_of("offset_in_it", Type::of(TypeId::int64), true),
                    column_of("reason", Type::text(), false),
                    column_of("record_key", Type::of(TypeId::bytes), false),
                    column_of("record_value", Type::of(TypeId::bytes), false)};
  return std::make_shared<const TableSchema>(std::move(schema));
}

void put(Datum& record, const std::string& name, const Datum& value) {
  const auto found = std::find(record.names.begin(), record.names.end(), name);
  if (found != record.names.end()) {
    auto& there = record.items[static_cast<std::size_t>(found - record.names.begin())];
    if (there.is(Datum::Kind::null) || not_sent(there)) there = value;
    return;
  }
  record.names.push_back(name);
  record.items.push_back(value);
}

bool same_value(const Datum* a, const Datum* b) {
  return a && b && a->kind == b->kind && a->whole == b->whole && a->text == b->text;
}

}  // namespace

LogTables::LogTables(const SourceConfig& config, std::vector<SchemaRef> known) : config_(config) {
  for (auto& schema : known) tables_[schema->id] = std::move(schema);
}

std::vector<SchemaRef> LogTables::schemas() const {
  std::vector<SchemaRef> out;
  for (const auto& [id, schema] : tables_) out.push_back(schema);
  return out;
}

SchemaRef LogTables::only_table(const std::string& topic) const {
  SchemaRef only;
  for (const auto& [id, schema] : tables_) {
    if (id != topic && !id.starts_with(topic + "#")) continue;
    if (only) return nullptr;
    only = schema;
  }
  return only;
}

Status LogTables::add(const SourceRecord& record, DecodedRecord decoded, sql::WindowBuilder& window,
                      std::uint64_t& ordinal) {
  auto& deleted = deleted_[{record.topic, record.partition}];
  if (!decoded.change) {
    const bool told = record.key && *record.key == deleted;
    deleted.clear();
    // Of several tables in one topic a key alone does not say which it is of.
    const auto schema = only_table(record.topic);
    return told || !schema ? Status() : remove(record, schema, decoded.key, {}, window, ordinal);
  }
  deleted.clear();
  auto& change = *decoded.change;
  switch (change.kind) {
    case RowChange::Kind::nothing: return {};
    case RowChange::Kind::insert:
    case RowChange::Kind::update: return write(record, decoded.key, std::move(change), window, ordinal);
    case RowChange::Kind::remove: {
      const auto known = tables_.find(id_of(record.topic, change.table));
      // Nothing was told of the table yet, so there is nothing to be removed.
      if (known == tables_.end()) return {};
      MAIA_TRY(remove(record, known->second, decoded.key, std::move(change.before), window, ordinal));
      deleted = record.key.value_or("");
      return {};
    }
    case RowChange::Kind::truncate: {
      const auto known = tables_.find(id_of(record.topic, change.table));
      if (known == tables_.end()) return {};
      Truncate truncate;
      truncate.tables = {known->second};
      truncate.ordinal = ordinal++;
      window.add_barrier(std::move(truncate));
      return {};
    }
  }
  return {};
}

const std::map<std::string, DeclaredType>& LogTables::declared_of(const std::string& topic) {
  const auto [place, is_new] = declared_.try_emplace(topic);
  const auto* declared = is_new ? config_.declared(topic) : nullptr;
  if (!declared) return place->second;
  for (const auto& [column, text] : declared->columns) {
    if (auto type = declared_type(text)) place->second.emplace(column, *std::move(type));
  }
  return place->second;
}

Result<LogTables::Row> LogTables::row_of(const SourceRecord& record, const Datum& key, Datum values) {
  Row row;
  if (!values.is(Datum::Kind::record)) {
    values = {};
    values.kind = Datum::Kind::record;
  }
  if (const auto* declared = config_.declared(record.topic); declared && !declared->key.empty())
    row.key = declared->key;
  if (key.is(Datum::Kind::record)) {
    if (row.key.empty()) row.key = key.names;
    for (const auto& name : row.key) {
      if (const auto* value = key.find(name)) put(values, name, *value);
    }
  } else if (row.key.size() == 1 && !key.is(Datum::Kind::null)) {
    put(values, row.key[0], key);
  }
  for (const auto& name : row.key) {
    const auto* value = values.find(name);
    if (!value || value->is(Datum::Kind::null) || not_sent(*value))
      return refused(fmt::format("it has no value for the key column {}", name));
  }
  for (const auto& [column, type] : declared_of(record.topic)) {
    const auto found = std::find(values.names.begin(), values.names.end(), column);
    if (found == values.names.end()) continue;
    auto& value = values.items[static_cast<std::size_t>(found - values.names.begin())];
    if (auto given = give_declared(value, type); !given.ok())
      return std::move(given).error().in("column " + column);
  }
  row.values = std::move(values);
  return row;
}

Result<SchemaRef> LogTables::fit(const SourceRecord& record, const std::string& id, const TableName& name,
                                 const Row& row, sql::WindowBuilder& window, std::uint64_t& ordinal) {
  auto& known = tables_[id];
  const auto& declared = declared_of(record.topic);
  TableSchema now;
  if (known) now = *known;
  SchemaChange change;
  for (std::size_t i = 0; i < row.values.items.size(); ++i) {
    const auto& column = row.values.names[i];
    const auto& value = row.values.items[i];
    std::optional<Type> type = not_sent(value) ? value.type : type_of(value);
    const auto said = declared.find(column);
    const bool is_declared = said != declared.end();
    if (is_declared) type = said->second.type;
    if (!type) continue;
    const auto at = now.find(column);
    if (!at) {
      const bool in_key = std::find(row.key.begin(), row.key.end(), column) != row.key.end();
      now.columns.push_back(column_of(column, *type, in_key));
      change.columns.push_back({.kind = ColumnChange::Kind::add, .column = column, .old_name = {}});
      continue;
    }
    auto wanted = is_declared ? *type : wider(now.columns[*at].type, *type);
    if (wanted == now.columns[*at].type) continue;
    now.columns[*at].native_type = to_string(wanted);
    now.columns[*at].type = std::move(wanted);
    change.columns.push_back({.kind = ColumnChange::Kind::retype, .column = column, .old_name = {}});
  }
  std::vector<std::string> key;
  for (const auto i : now.key()) key.push_back(now.columns[i].name);
  auto wanted_key = row.key;
  std::sort(key.begin(), key.end());
  std::sort(wanted_key.begin(), wanted_key.end());
  if (key != wanted_key) {
    if (!known) tables_.erase(id);
    return refused(fmt::format("its key is ({}), but that of the records before it is ({})",
                               fmt::join(wanted_key, ", "), fmt::join(key, ", ")));
  }
  if (known && change.columns.empty()) return known;
  now.id = id;
  now.name = name;
  now.identity = key.empty() ? Identity::none : Identity::key;
  now.version = known ? known->version + 1 : 1;
  change.before = known;
  change.after = known = std::make_shared<const TableSchema>(std::move(now));
  change.ordinal = ordinal++;
  window.add_barrier(std::move(change));
  return known;
}

Status LogTables::write(const SourceRecord& record, const Datum& key, RowChange change,
                        sql::WindowBuilder& window, std::uint64_t& ordinal) {
  const auto id = id_of(record.topic, change.table);
  const auto name = change.table.value_or(TableName{"", record.topic});
  const auto row = MAIA_TRY(row_of(record, key, std::move(change.after)));
  const auto schema = MAIA_TRY(fit(record, id, name, row, window, ordinal));
  const bool update = change.kind == RowChange::Kind::update;
  if (update && row.key.empty())
    return refused("a row without a key was updated: it cannot be told from others");
  const auto moved = [&](const std::string& column) {
    const auto* before = change.before.find(column);
    return before && !before->is(Datum::Kind::null) && !same_value(before, row.values.find(column));
  };
  const bool moves = update && std::any_of(row.key.begin(), row.key.end(), moved);
  auto& batch = window.batch(schema);
  batch.begin_row(update ? Op::update : Op::insert, ordinal);
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    const auto& column = schema->columns[i];
    const auto* value = row.values.find(column.name);
    Status pushed;
    if (value && not_sent(*value) && update) {
      batch.mutable_after(i).push_unchanged();
    } else if (value && not_sent(*value)) {
      pushed = refused("a row was inserted without the value, which its source did not send");
    } else {
      pushed = push(batch.mutable_after(i), column.type, value ? *value : Datum{});
    }
    if (pushed.ok() && moves) {
      const auto* before = column.in_key ? change.before.find(column.name) : nullptr;
      if (before) {
        pushed = push(batch.mutable_before(i), column.type, *before);
      } else if (column.in_key) {
        pushed = push(batch.mutable_before(i), column.type, *value);
      } else {
        batch.mutable_before(i).push_unchanged();
      }
    }
    if (pushed.ok()) continue;
    batch.drop_last_row();
    return std::move(pushed).error().in("column " + column.name);
  }
  batch.finish_row();
  ++ordinal;
  return {};
}

Status LogTables::remove(const SourceRecord& record, const SchemaRef& schema, const Datum& key, Datum before,
                         sql::WindowBuilder& window, std::uint64_t& ordinal) {
  if (schema->key().empty())
    return refused("a row was deleted, but rows without a key cannot be told from each other");
  const auto row = MAIA_TRY(row_of(record, key, std::move(before)));
  auto& batch = window.batch(schema);
  batch.begin_row(Op::remove, ordinal);
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    const auto& column = schema->columns[i];
    if (!column.in_key) {
      batch.mutable_before(i).push_unchanged();
      continue;
    }
    const auto* value = row.values.find(column.name);
    auto pushed = value && !value->is(Datum::Kind::null) ? push(batch.mutable_before(i), column.type, *value)
                                                         : Status(refused("it has no value"));
    if (pushed.ok()) continue;
    batch.drop_last_row();
    return std::move(pushed).error().in("key column " + column.name);
  }
  batch.finish_row();
  ++ordinal;
  return {};
}

Status LogTables::keep(const SourceRecord& record, const std::string& why, sql::WindowBuilder& window,
                       std::uint64_t& ordinal) {
  auto& schema = tables_[std::string(kUnreadableId)];
  if (!schema) {
    schema = unreadable_table();
    SchemaChange change;
    change.after = schema;
    change.ordinal = ordinal++;
    window.add_barrier(std::move(change));
  }
  auto& batch = window.batch(schema);
  batch.begin_row(Op::insert, ordinal++);
  batch.mutable_after(0).push_text(record.topic);
  batch.mutable_after(1).push_fixed(record.partition);
  batch.mutable_after(2).push_fixed(record.offset);
  batch.mutable_after(3).push_text(why);
  const auto push_bytes = [&](std::size_t column, const std::optional<std::string>& bytes) {
    bytes ? batch.mutable_after(column).push_text(*bytes) : batch.mutable_after(column).push_null();
  };
  push_bytes(4, record.key);
  push_bytes(5, record.value);
  batch.finish_row();
  return {};
}

}  // namespace maia::kafka
