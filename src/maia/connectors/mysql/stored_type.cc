// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/stored_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "maia/connectors/mysql/type_map.h"

namespace maia::mysql {
namespace {

constexpr std::size_t kKeyBytes = 3072;
constexpr std::size_t kBytesPerCharacter = 4;
constexpr std::size_t kMaxKeyCharacters = 768;
/// Of the 65,535 bytes that all columns but texts and blobs may have together.
constexpr std::size_t kRowBytes = 48'000;
constexpr unsigned kMaxScale = 30;

StoredType plain(std::string sql, std::string note = {}) {
  return {.sql = std::move(sql), .note = std::move(note)};
}
StoredType widened(std::string sql, std::string note) {
  return {.sql = std::move(sql), .fidelity = Fidelity::widened, .note = std::move(note)};
}
StoredType as_text(std::string note) {
  return {.sql = "LONGTEXT", .text = true, .fidelity = Fidelity::as_text, .note = std::move(note)};
}

StoredType stored_decimal(const Type& type) {
  const unsigned digits = std::max<unsigned>(type.precision, type.scale);
  if (type.precision == 0 || type.scale > kMaxScale)
    return as_text("its digits, because DECIMAL has a fixed number of them behind the point");
  auto stored = plain(fmt::format("DECIMAL({},{})", digits, type.scale), "NaN and infinity are refused");
  if (digits > type.precision) stored.fidelity = Fidelity::widened;
  return stored;
}

StoredType unlimited(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return widened("TINYINT(1)", "0 and 1");
    case TypeId::int16: return plain("SMALLINT");
    case TypeId::int32: return plain("INT");
    case TypeId::int64: return plain("BIGINT");
    case TypeId::float32: return plain("FLOAT", "NaN and infinity are refused");
    case TypeId::float64: return plain("DOUBLE", "NaN and infinity are refused");
    case TypeId::decimal: return stored_decimal(type);
    case TypeId::bytes: return plain("LONGBLOB");
    case TypeId::date: return plain("DATE", "years 1 to 9999; others are refused");
    case TypeId::time: return plain("TIME(6)");
    case TypeId::timestamp: return plain("DATETIME(6)", "years 1 to 9999; others are refused");
    case TypeId::timestamp_tz:
      return widened("DATETIME(6)", "in UTC, because TIMESTAMP ends in 2038; years 1 to 9999");
    case TypeId::interval: return as_text("in the form P1Y2M3DT4H5M6S");
    case TypeId::uuid:
      return {
          .sql = "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin", .fidelity = Fidelity::as_text, .note = {}};
    case TypeId::json: return as_text("its text, because JSON columns change numbers and the order of keys");
    case TypeId::array: return as_text("an array literal such as {1,2}");
    case TypeId::string:
      if (!type.form.empty()) return as_text(type.form);
      return {.sql = "LONGTEXT", .text = true, .note = {}};
  }
  return {.sql = "", .fidelity = Fidelity::unsupported, .note = "not a type that we know"};
}

bool is_long(const StoredType& stored) { return stored.sql == "LONGTEXT" || stored.sql == "LONGBLOB"; }

/// Bytes that a key column which is neither text nor blob takes at most.
std::size_t fixed_key_bytes(const StoredType& stored) { return stored.sql.starts_with("CHAR(36)") ? 36 : 32; }

void set_length(StoredType& stored, std::size_t length) {
  stored.sql = fmt::format("{}({})", stored.text ? "VARCHAR" : "VARBINARY", length);
}

void fit_into_key(std::vector<StoredType>& stored, const TableSchema& schema,
                  std::span<const std::size_t> key) {
  std::size_t room = kKeyBytes;
  std::vector<std::size_t> open;  // columns without a length of their own
  for (const auto i : key) {
    const std::size_t declared = schema.columns[i].type.precision * kBytesPerCharacter;
    const bool limited = stored[i].text && schema.columns[i].type.id == TypeId::string && declared > 0;
    if (!is_long(stored[i])) {
      room -= std::min(room, fixed_key_bytes(stored[i]));
    } else if (limited && declared <= kKeyBytes / key.size()) {
      set_length(stored[i], schema.columns[i].type.precision);
      room -= std::min(room, declared);
    } else {
      open.push_back(i);
    }
  }
  for (const auto i : open) {
    const auto bytes = room / open.size();
    const auto length = stored[i].text ? std::min(bytes / kBytesPerCharacter, kMaxKeyCharacters) : bytes;
    set_length(stored[i], length);
    stored[i].note = fmt::format("at most {} {} in a key; longer ones are refused", length,
                                 stored[i].text ? "characters" : "bytes");
  }
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Digits before the point that a whole number may have; 0 for other types.
unsigned whole_digits(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return 1;
    case TypeId::int16: return 5;
    case TypeId::int32: return 10;
    case TypeId::int64: return 19;
    default: return 0;
  }
}

bool decimal_holds(const ColumnType& column, const Type& type) {
  if (const auto whole = whole_digits(type); whole > 0) return column.digits - column.scale >= whole;
  if (type.id != TypeId::decimal || type.precision == 0) return false;
  const unsigned digits = std::max<unsigned>(type.precision, type.scale);
  return column.scale >= type.scale && column.digits - column.scale >= digits - type.scale;
}

bool integer_holds(const ColumnType& column, const Type& type) {
  const auto native = parse_native_type(column.full);
  if (!native.ok()) return false;
  const auto holds = map_type(*native).type;
  // An unsigned column refuses what is below zero, so it takes what the source's column of that kind has.
  if (holds == type) return true;
  const auto wanted = whole_digits(type);
  return wanted > 0 && !native->is_unsigned && whole_digits(holds) >= wanted;
}

bool text_holds(const ColumnType& column, const Type& type) {
  if (type.id == TypeId::bytes) return false;
  if (column.name != "varchar") return true;
  // Longer ones are refused before they are sent, because the server cuts blanks at the end without an error.
  return type.id != TypeId::string || type.precision == 0 || column.length >= type.precision;
}

}  // namespace

std::vector<StoredType> stored_types(const TableSchema& schema, std::span<const std::size_t> key) {
  std::vector<StoredType> stored;
  stored.reserve(schema.columns.size());
  for (const auto& column : schema.columns) stored.push_back(unlimited(column.type));
  fit_into_key(stored, schema, key);
  std::size_t room = kRowBytes;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto& type = schema.columns[i].type;
    const auto bytes = type.precision * kBytesPerCharacter + 2;
    const bool limited = stored[i].text && type.id == TypeId::string && type.precision > 0;
    if (!limited || !is_long(stored[i]) || bytes > room) continue;
    room -= bytes;
    set_length(stored[i], type.precision);
  }
  return stored;
}

bool can_hold(const ColumnType& column, const Type& type) {
  if (is_any_of(column.name, {"varchar", "text", "mediumtext", "longtext"})) return text_holds(column, type);
  if (is_any_of(column.name, {"tinyint", "smallint", "mediumint", "int", "bigint"}))
    return integer_holds(column, type);
  if (column.name == "decimal") return decimal_holds(column, type);
  switch (type.id) {
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::float64: return column.full == "double";
    case TypeId::float32: return column.full == "float" || column.full == "double";
    case TypeId::bytes: return is_any_of(column.name, {"varbinary", "blob", "mediumblob", "longblob"});
    case TypeId::date: return column.name == "date";
    case TypeId::time: return column.name == "time" && column.fraction == 6;
    case TypeId::timestamp: return column.name == "datetime" && column.fraction == 6;
    case TypeId::timestamp_tz:
      return is_any_of(column.name, {"datetime", "timestamp"}) && column.fraction == 6;
    case TypeId::uuid: return column.name == "uuid" || column.full == "char(36)";
    case TypeId::json: return column.name == "json";
    default: return false;
  }
}

bool tells_texts_apart(const ColumnType& column) {
  return column.charset.empty() || column.charset == "binary" || column.full == "char(36)" ||
         is_any_of(column.collation, {"utf8mb4_nopad_bin", "utf8mb4_0900_bin", "binary"});
}

}  // namespace maia::mysql
