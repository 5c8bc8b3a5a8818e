// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/log_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/column_decoder.h"
#include "maia/connectors/mysql/value_push.h"
#include "maia/sql/column_changes.h"
#include "maia/types/value_text.h"

namespace maia::mysql {
namespace {

bool is_binary(const WireColumn& wire, const std::map<std::uint32_t, std::string>& collations) {
  constexpr std::uint32_t kBinary = 63;
  const auto found = wire.collation ? collations.find(*wire.collation) : collations.end();
  return wire.collation == kBinary || (found != collations.end() && found->second == "binary");
}

std::string labels_of(const WireColumn& wire) {
  std::string out;
  for (const auto& label : wire.labels.value_or(std::vector<std::string>())) {
    out += out.empty() ? "'" : ",'";
    for (const char c : label) out.append(c == '\'' || c == '\\' ? 2 : 1, c);
    out += '\'';
  }
  return out;
}

/// The type as SQL would spell it, as far as the log knows it.
std::string spelled(const WireColumn& wire, bool binary) {
  const auto number = [&](std::string_view name) {
    return fmt::format("{}{}", name, wire.is_unsigned.value_or(false) ? " unsigned" : "");
  };
  const auto fraction = [&](std::string_view name) {
    return wire.meta == 0 ? std::string(name) : fmt::format("{}({})", name, wire.meta);
  };
  switch (wire.type) {
    case WireType::tiny: return number("tinyint");
    case WireType::small: return number("smallint");
    case WireType::medium: return number("mediumint");
    case WireType::integer: return number("int");
    case WireType::big: return number("bigint");
    case WireType::float32: return number("float");
    case WireType::float64: return number("double");
    case WireType::decimal: return number(fmt::format("decimal({},{})", wire.meta >> 8, wire.meta & 0xFF));
    case WireType::year: return "year";
    case WireType::date:
    case WireType::date_old: return "date";
    case WireType::time:
    case WireType::time_old: return fraction("time");
    case WireType::datetime:
    case WireType::datetime_old: return fraction("datetime");
    case WireType::timestamp:
    case WireType::timestamp_old: return fraction("timestamp");
    case WireType::bit: return fmt::format("bit({})", (wire.meta >> 8) * 8 + (wire.meta & 0xFF));
    case WireType::varchar: return binary ? fmt::format("varbinary({})", wire.meta) : "varchar";
    case WireType::string: return binary ? fmt::format("binary({})", wire.meta) : "char";
    case WireType::blob: return binary ? "longblob" : "longtext";
    case WireType::json: return "json";
    case WireType::vector: return "vector";
    case WireType::geometry: return "geometry";
    case WireType::enumeration: return fmt::format("enum({})", labels_of(wire));
    case WireType::set: return fmt::format("set({})", labels_of(wire));
    default: return "?";
  }
}

const Column* fitting(const TableSchema* table, const WireColumn& wire) {
  if (table == nullptr) return nullptr;
  const auto at = table->find(*wire.name);
  if (!at) return nullptr;
  const auto native = native_of(table->columns[*at]);
  return native.ok() && fits(wire, *native) ? &table->columns[*at] : nullptr;
}

/// What a column that may not be NULL gets where nothing is said.
std::optional<std::string> implicit_default(const Column& column, const NativeType& native) {
  if (column.type.id == TypeId::string || column.type.id == TypeId::bytes) {
    if (native.name == "enum")
      return native.labels.empty() ? std::nullopt : std::optional(native.labels.front());
    const bool plain = column.type.form.empty() && native.name != "binary" && native.name != "geometry";
    return plain ? std::optional<std::string>("") : std::nullopt;
  }
  const bool number = column.type.id <= TypeId::decimal && column.type.id >= TypeId::int16;
  return number ? std::optional<std::string>("0") : std::nullopt;
}

}  // namespace

bool fits(const TableMap& map, const TableSchema& schema) {
  if (map.columns.size() != schema.columns.size()) return false;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& wire = map.columns[i];
    const auto& column = schema.columns[i];
    if (wire.name && *wire.name != column.name) return false;
    const auto native = native_of(column);
    if (!native.ok() || !fits(wire, *native)) return false;
    if (wire.nullable && !column.nullable) return false;
    const bool in_key = std::ranges::find(map.key, i) != map.key.end();
    if (wire.name && in_key != column.in_key) return false;
  }
  return true;
}

Result<Column> column_from_log(const WireColumn& wire, const TableSchema* known, const TableSchema* now,
                               const std::map<std::uint32_t, std::string>& collations) {
  for (const auto* table : {known, now}) {
    const auto* column = fitting(table, wire);
    if (column == nullptr) continue;
    auto copy = *column;
    copy.nullable = copy.nullable || wire.nullable;
    return copy;
  }
  auto native = MAIA_TRY(parse_native_type(spelled(wire, is_binary(wire, collations))));
  if (wire.collation) {
    const auto found = collations.find(*wire.collation);
    if (found != collations.end()) native.charset = found->second;
  }
  const auto mapped = map_type(native);
  if (mapped.fidelity == Fidelity::unsupported) {
    return Error{Error::Code::unsupported, Recovery::halt,
                 fmt::format("column {}: {}", *wire.name, mapped.note), ""};
  }
  Column column{
      .name = *wire.name, .type = mapped.type, .native_type = spelled_with_charset(native), .id = *wire.name};
  column.nullable = wire.nullable;
  return column;
}

void adopt_ids(const TableSchema& before, TableSchema& after) {
  for (auto& column : after.columns) {
    const auto at = before.find(column.name);
    column.id = at ? before.columns[*at].id : column.name;
    // The id of a column that was renamed is the name that it had.
    while (!at && sql::find_by_id(before, column.id) != nullptr) column.id += '+';
  }
}

void keep_renamed(const TableSchema& before, TableSchema& after) {
  if (before.columns.size() != after.columns.size()) return;
  for (std::size_t i = 0; i < after.columns.size(); ++i) {
    const auto& old = before.columns[i];
    auto& column = after.columns[i];
    const bool is_new = std::ranges::find(before.columns, column.name, &Column::name) == before.columns.end();
    const bool is_gone = std::ranges::find(after.columns, old.name, &Column::name) == after.columns.end();
    if (is_new && is_gone && old.type == column.type) column.id = old.id;
  }
}

Status fill_existing_rows(ColumnChange& step, const TableSchema& table,
                          const std::optional<CatalogTable>& now) {
  const auto& column = table.columns[*table.find(step.column)];
  const auto unknown = [&](std::string_view why) {
    return Error{
        Error::Code::unsupported, Recovery::halt,
        fmt::format("column {} is new and {}, so the log does not tell what the rows that were there have in "
                    "it",
                    column.name, why),
        fmt::format("`maia resync {}`", to_string(table.name))};
  };
  const CatalogColumn* current = nullptr;
  if (now) {
    const auto at = std::ranges::find(now->columns, column.name, &CatalogColumn::name);
    if (at != now->columns.end()) current = &*at;
  }
  if (column.generated) return unknown("computed");
  if (current != nullptr && !current->default_is_constant)
    return unknown("has a default that is no constant");
  const auto native = MAIA_TRY(native_of(column));
  auto text = current == nullptr ? std::optional<std::string>() : current->default_text;
  if (!text && column.nullable) return {};
  if (!text) text = implicit_default(column, native);
  if (!text || native.name == "bit") return unknown("has no default that can be read");
  ColumnVector value(physical(column.type));
  MAIA_TRY(push_selected(value, column.type, native, *text, ZeroDates::null));
  if (value.presence(0) != Presence::value) return {};
  append_value_text(step.existing_rows.emplace(), column.type, value, 0);
  return {};
}

}  // namespace maia::mysql
