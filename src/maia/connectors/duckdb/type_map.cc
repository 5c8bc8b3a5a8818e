// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/type_map.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::duckdb {
namespace {

constexpr unsigned kMaxDigits = 38;

StoredType same(std::string sql) { return {.storage = Storage::same, .sql = std::move(sql), .note = {}}; }

StoredType as_text(std::string note) {
  return {.storage = Storage::text, .sql = "VARCHAR", .fidelity = Fidelity::as_text, .note = std::move(note)};
}

StoredType decimal(const Type& type, const Config& config) {
  // A scale above the precision (0.00123 as numeric(3,5)) needs the digits in between.
  const unsigned digits = std::max<unsigned>(type.precision, type.scale);
  if (type.precision > 0 && digits <= kMaxDigits) {
    const bool null = config.special_numerics == SpecialNumerics::null;
    return {.storage = Storage::decimal,
            .sql = fmt::format("DECIMAL({},{})", digits, type.scale),
            .fidelity = digits > type.precision ? Fidelity::widened : Fidelity::exact,
            .note = null ? "NaN becomes NULL" : "NaN is refused; special_numerics: null stores NULL instead",
            .width = static_cast<std::uint8_t>(digits),
            .scale = static_cast<std::uint8_t>(type.scale)};
  }
  if (config.unbounded_numerics == Numerics::text || type.precision > 0) {
    return as_text("DuckDB's DECIMAL ends at 38 digits; unbounded_numerics: double stores a rounded number");
  }
  return {.storage = Storage::number,
          .sql = "DOUBLE",
          .fidelity = Fidelity::lossy,
          .note = "rounded to about 16 digits; unbounded_numerics: text keeps all of them"};
}

StoredType array(const Type& type, const Config& config) {
  const auto element = stored_type(*type.element, config);
  if (config.arrays == Arrays::text || type.dimensions > 1 || element.storage == Storage::list) {
    return as_text("an array literal such as {1,2}");
  }
  return {
      .storage = Storage::list,
      .sql = element.sql + "[]",
      .fidelity = element.fidelity,
      .note =
          "an array with more dimensions or another lower bound than 1 is refused; arrays: text keeps it"};
}

duckdb_type simple(TypeId id) {
  switch (id) {
    case TypeId::boolean: return DUCKDB_TYPE_BOOLEAN;
    case TypeId::int16: return DUCKDB_TYPE_SMALLINT;
    case TypeId::int32: return DUCKDB_TYPE_INTEGER;
    case TypeId::int64: return DUCKDB_TYPE_BIGINT;
    case TypeId::float32: return DUCKDB_TYPE_FLOAT;
    case TypeId::float64: return DUCKDB_TYPE_DOUBLE;
    case TypeId::date: return DUCKDB_TYPE_DATE;
    case TypeId::time: return DUCKDB_TYPE_TIME;
    case TypeId::timestamp: return DUCKDB_TYPE_TIMESTAMP;
    case TypeId::timestamp_tz: return DUCKDB_TYPE_TIMESTAMP_TZ;
    case TypeId::interval: return DUCKDB_TYPE_INTERVAL;
    case TypeId::uuid: return DUCKDB_TYPE_UUID;
    case TypeId::bytes: return DUCKDB_TYPE_BLOB;
    case TypeId::decimal:
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: break;
  }
  return DUCKDB_TYPE_VARCHAR;
}

}  // namespace

StoredType stored_type(const Type& type, const Config& config) {
  switch (type.id) {
    case TypeId::boolean: return same("BOOLEAN");
    case TypeId::int16: return same("SMALLINT");
    case TypeId::int32: return same("INTEGER");
    case TypeId::int64: return same("BIGINT");
    case TypeId::float32: return same("FLOAT");
    case TypeId::float64: return same("DOUBLE");
    case TypeId::date: return same("DATE");
    case TypeId::time: return same("TIME");
    case TypeId::timestamp: return same("TIMESTAMP");
    case TypeId::timestamp_tz: return same("TIMESTAMP WITH TIME ZONE");
    case TypeId::interval: return same("INTERVAL");
    case TypeId::uuid: return {.storage = Storage::uuid, .sql = "UUID", .note = {}};
    case TypeId::bytes: return {.storage = Storage::bytes, .sql = "BLOB", .note = {}};
    case TypeId::json: return {.storage = Storage::text, .sql = "JSON", .note = {}};
    case TypeId::decimal: return decimal(type, config);
    case TypeId::array: return array(type, config);
    case TypeId::string:
      if (!type.form.empty()) return as_text(type.form);
      return {.storage = Storage::text,
              .sql = "VARCHAR",
              .fidelity = type.precision > 0 ? Fidelity::widened : Fidelity::exact,
              .note = {}};
  }
  return {.storage = Storage::text, .sql = "VARCHAR", .fidelity = Fidelity::unsupported, .note = {}};
}

LogicalType logical_type(const Type& type, const Config& config) {
  const auto stored = stored_type(type, config);
  switch (stored.storage) {
    case Storage::decimal: return LogicalType(duckdb_create_decimal_type(stored.width, stored.scale));
    case Storage::number: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case Storage::list:
      return LogicalType(duckdb_create_list_type(logical_type(*type.element, config).get()));
    case Storage::text: {
      LogicalType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
      if (type.id == TypeId::json) duckdb_logical_type_set_alias(text.get(), "JSON");
      return text;
    }
    case Storage::same:
    case Storage::uuid:
    case Storage::bytes: break;
  }
  return LogicalType(duckdb_create_logical_type(simple(type.id)));
}

std::vector<ColumnMapping> map_columns(const TableSchema& schema, const Config& config) {
  std::vector<ColumnMapping> mappings;
  for (const auto& column : schema.columns) {
    auto stored = stored_type(column.type, config);
    mappings.push_back({column.name, std::move(stored.sql), stored.fidelity, std::move(stored.note)});
  }
  return mappings;
}

}  // namespace maia::duckdb
