// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/log_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/log_shape.h"
#include "maia/sql/column_changes.h"

namespace maia::mysql {
namespace {

Error unknown_shape(const TableName& name) {
  return Error{
      Error::Code::unsupported, Recovery::halt,
      fmt::format("the rows of {} in the binary log look as the table did once, and the log does not say the "
                  "names of its columns",
                  to_string(name)),
      fmt::format("SET GLOBAL binlog_row_metadata = FULL at the source, and `maia resync {}`",
                  to_string(name))};
}

Error unclear(std::string_view what) {
  return Error{Error::Code::unsupported, Recovery::halt,
               fmt::format("a statement in the binary log {} tables that cannot be read from it", what),
               "tell the makers of MAIA; the tables can be copied anew behind it"};
}

}  // namespace

LogTables::LogTables(Connection& catalogue, Terms terms) : catalogue_(catalogue), terms_(std::move(terms)) {
  for (const auto& schema : terms_.known) known_[schema->name] = schema;
}

void LogTables::forget_numbers() { mapped_.clear(); }

Status LogTables::take(const TableMap& map) {
  auto& mapped = mapped_[map.id];
  if (mapped.map == map) return {};
  mapped.map = map;
  mapped.entry.reset();
  if (!terms_.choice.includes(map.name)) return {};
  auto entry = resolve(map);
  if (!entry.ok()) {
    mapped_.erase(map.id);
    return std::move(entry).error().in(to_string(map.name));
  }
  mapped.entry = std::move(entry).value();
  return {};
}

Result<LogTables::Entry*> LogTables::find(std::uint64_t number) {
  const auto found = mapped_.find(number);
  if (found == mapped_.end()) {
    return Error{Error::Code::corruption, Recovery::reconnect,
                 "the binary log has rows of a table that it does not name", ""};
  }
  return found->second.entry ? &*found->second.entry : nullptr;
}

Result<LogTables::Entry> LogTables::resolve(const TableMap& map) {
  const auto known = known_[map.name];
  std::optional<CatalogTable> now;
  auto schema = MAIA_TRY(shape(map, known, now));
  std::optional<SchemaChange> change;
  if (known == nullptr || !(*schema == *known)) {
    change = MAIA_TRY(change_to(known, schema, now));
    known_[map.name] = schema;
  }
  const auto again = std::ranges::find_if(untold_, [&](const SchemaChange& each) {
    return each.after != nullptr && each.after->name == map.name;
  });
  if (again != untold_.end()) {
    change = *again;
    untold_.erase(again);
  }
  auto entry = MAIA_TRY(make_entry(map, std::move(schema)));
  entry.change = std::move(change);
  return entry;
}

Result<SchemaRef> LogTables::shape(const TableMap& map, const SchemaRef& known,
                                   std::optional<CatalogTable>& now) {
  const bool has_names = !map.columns.empty() && map.columns.front().name.has_value();
  const bool is_as_known = known != nullptr && fits(map, *known);
  if (is_as_known && has_names) return known;
  now = MAIA_TRY(read_table(catalogue_, map.name));
  if (now) {
    auto current = *schema_of(*now, terms_.zero_dates, known == nullptr ? 1 : known->version);
    if (known != nullptr) adopt_ids(*known, current);
    if (fits(map, current)) {
      const bool same = known != nullptr && current.columns == known->columns;
      return same ? known : std::make_shared<const TableSchema>(std::move(current));
    }
  }
  if (is_as_known) return known;
  if (!has_names) return unknown_shape(map.name);
  return shape_from_log(map, known, now);
}

Result<SchemaRef> LogTables::shape_from_log(const TableMap& map, const SchemaRef& known,
                                            const std::optional<CatalogTable>& now) {
  const auto current = now ? schema_of(*now, terms_.zero_dates) : nullptr;
  TableSchema schema;
  schema.id = to_string(map.name);
  schema.name = map.name;
  schema.version = known == nullptr ? 1 : known->version;
  schema.identity = map.key.empty() ? Identity::full : Identity::key;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& wire = map.columns[i];
    auto column = MAIA_TRY(column_from_log(wire, known.get(), current.get(), terms_.collations));
    column.in_key = std::ranges::find(map.key, i) != map.key.end();
    schema.columns.push_back(std::move(column));
  }
  if (known != nullptr) adopt_ids(*known, schema);
  return std::make_shared<const TableSchema>(std::move(schema));
}

Result<LogTables::Entry> LogTables::make_entry(const TableMap& map, SchemaRef schema) {
  std::vector<ColumnDecoder> decoders;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& column = schema->columns[i];
    auto decoder =
        ColumnDecoder::make(map.columns[i], MAIA_TRY(native_of(column)), column.type, terms_.zero_dates);
    if (!decoder.ok()) return std::move(decoder).error().in("column " + column.name);
    decoders.push_back(std::move(decoder).value());
    places.push_back(i);
  }
  return Entry{RowDecoder(std::move(schema), std::move(decoders), std::move(places)), {}};
}

Result<SchemaChange> LogTables::change_to(const SchemaRef& known, SchemaRef& schema,
                                          const std::optional<CatalogTable>& now) {
  SchemaChange change;
  if (known == nullptr) {
    auto next = *schema;
    next.version = 1;
    schema = std::make_shared<const TableSchema>(std::move(next));
    change.after = schema;
    // A table that was not created in the log had rows before it came to be one of ours.
    if (!created_.contains(schema->name)) change.before = schema;
    return change;
  }
  auto next = *schema;
  next.version = known->version + 1;
  if (renaming_.erase(next.name) > 0) keep_renamed(*known, next);
  schema = std::make_shared<const TableSchema>(std::move(next));
  change.before = known;
  change.after = schema;
  change.columns = sql::column_changes(*known, *schema);
  for (auto& step : change.columns) {
    if (step.kind == ColumnChange::Kind::add) MAIA_TRY(fill_existing_rows(step, *schema, now));
  }
  return change;
}

void LogTables::untell(const SchemaChange& change) {
  untold_.push_back(change);
  // The next rows of the table are preceded by a map, which shall be resolved again.
  mapped_.clear();
}

bool LogTables::is_known(const TableName& name) const {
  const auto found = known_.find(name);
  return found != known_.end() && found->second != nullptr;
}

void LogTables::drop(const TableName& name, std::vector<Window::Item>& items) {
  created_.erase(name);
  renaming_.erase(name);
  if (!is_known(name) || !gone_.insert(name).second) return;
  SchemaChange change;
  change.before = known_[name];
  items.emplace_back(std::move(change));
}

void LogTables::empty(const TableName& name, std::vector<Window::Item>& items) {
  if (!is_known(name)) return;
  Truncate truncate;
  truncate.tables.push_back(known_[name]);
  items.emplace_back(std::move(truncate));
}

/// gh-ost and pt-online-schema-change put a copy of a table in its place, with the same rows in another
/// shape. From any other table the rows would be others.
Status LogTables::rename(const TableName& from, const TableName& to) {
  const auto made_of = [](const TableName& tool, const TableName& table, std::string_view mark) {
    return tool.schema == table.schema && tool.table.starts_with('_') &&
           tool.table.ends_with(table.table + std::string(mark));
  };
  const bool is_copy = made_of(from, to, "_gho") || made_of(from, to, "_new");
  const bool is_put_aside = made_of(to, from, "_del") || made_of(to, from, "_old");
  if (is_known(to) && !is_copy && !is_put_aside) {
    return Error{
        Error::Code::unsupported, Recovery::halt,
        fmt::format("{} was put in the place of {}, whose rows are mirrored", to_string(from), to_string(to)),
        "only gh-ost and pt-online-schema-change may do so; begin the pipeline anew"};
  }
  gone_.erase(to);
  created_.erase(to);
  if (is_known(from)) gone_.insert(from);
  return {};
}

Result<std::vector<Window::Item>> LogTables::apply(const Statement& statement) {
  using Kind = Statement::Kind;
  std::vector<Window::Item> items;
  if (statement.unclear && statement.kind != Kind::alter_table) return unclear("empties, drops or renames");
  switch (statement.kind) {
    case Kind::truncate: empty(statement.tables.front(), items); break;
    case Kind::create_table:
      for (const auto& name : statement.tables) {
        const bool there = is_known(name) && !gone_.contains(name);
        if (there && statement.if_not_exists) continue;
        // The destination has kept the rows of the table that had the name before.
        empty(name, items);
        gone_.erase(name);
        created_.insert(name);
      }
      break;
    case Kind::rename_table:
      for (std::size_t i = 0; i < statement.to.size(); ++i)
        MAIA_TRY(rename(statement.tables[i], statement.to[i]));
      break;
    case Kind::drop_table:
      for (const auto& name : statement.tables) drop(name, items);
      break;
    case Kind::drop_database: {
      std::vector<TableName> gone;
      for (const auto& [name, schema] : known_) {
        if (name.schema == statement.name) gone.push_back(name);
      }
      for (const auto& name : gone) drop(name, items);
      break;
    }
    case Kind::alter_table:
      if (statement.renames_columns) renaming_.insert(statement.tables.front());
      if (!statement.to.empty()) MAIA_TRY(rename(statement.tables.front(), statement.to.front()));
      break;
    default: break;
  }
  return items;
}

}  // namespace maia::mysql
