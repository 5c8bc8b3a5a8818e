// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace maia::postgres {
namespace {

/// Forms whose native type has the same name and takes no modifier.
constexpr std::array<std::string_view, 29> kNativeForms = {
    "inet",         "cidr",           "macaddr",        "macaddr8",       "money",          "xml",
    "tsvector",     "tsquery",        "point",          "line",           "lseg",           "box",
    "path",         "polygon",        "circle",         "int4range",      "int8range",      "numrange",
    "tsrange",      "tstzrange",      "daterange",      "int4multirange", "int8multirange", "nummultirange",
    "tsmultirange", "tstzmultirange", "datemultirange", "jsonb",          "pg_lsn"};

StoredType plain(std::string name) { return {.name = std::move(name), .modifier = {}, .note = {}}; }

StoredType with_length(std::string name, unsigned length) {
  return {.name = std::move(name), .modifier = length > 0 ? fmt::format("({})", length) : "", .note = {}};
}

StoredType as_text(std::string note) {
  return {.name = "text", .modifier = {}, .fidelity = Fidelity::as_text, .note = std::move(note)};
}

StoredType stored_string(const Type& type, const ServerTypes& server) {
  const auto& form = type.form;
  if (form.empty())
    return type.precision == 0 ? plain("text") : with_length("character varying", type.precision);
  if (form == "bpchar") return with_length(type.precision == 0 ? "text" : "character", type.precision);
  if (form == "bit") return with_length(type.precision == 0 ? "bit varying" : "bit", type.precision);
  if (form == "varbit") return with_length("bit varying", type.precision);
  if (form == "timetz") return plain("time with time zone");
  if (form == "hstore") {
    if (!server.hstore.empty()) return plain(server.hstore);
    return as_text("the extension hstore is not installed there");
  }
  if (form == "enum") return as_text("its labels; make the type and the column beforehand to have an enum");
  if (form == "composite")
    return as_text("its row literal; make the type and the column beforehand to have it");
  if (std::find(kNativeForms.begin(), kNativeForms.end(), form) != kNativeForms.end()) return plain(form);
  return as_text(fmt::format("there is no type {}", form));
}

StoredType stored_array(const Type& type, const ServerTypes& server) {
  auto stored = stored_type(*type.element, server);
  // Modifiers of the element stand before the brackets. Dimensions are documentation to PostgreSQL.
  for (int i = 0; i < std::max<int>(type.dimensions, 1); ++i) stored.modifier += "[]";
  if (!stored.note.empty()) stored.note = "elements: " + stored.note;
  return stored;
}

/// The numbers of a modifier: 10 and 2 of "(10,2)". Empty if it holds anything else.
std::vector<int> numbers_of(std::string_view modifier) {
  std::vector<int> numbers;
  if (!modifier.starts_with('(') || !modifier.ends_with(')')) return numbers;
  const char* at = modifier.data();
  const char* const end = at + modifier.size() - 1;
  while (at < end) {
    const auto [next, error] = std::from_chars(at + 1, end, numbers.emplace_back());
    if (error != std::errc{} || (next != end && *next != ',')) return {};
    at = next;
  }
  return numbers;
}

/// What a numeric column has room for.
struct Digits {
  int whole = 1'000'000;
  int scale = 1'000'000;
};
Digits digits_of(const std::string& modifier) {
  if (modifier.empty()) return {};
  const auto numbers = numbers_of(modifier);
  // With a negative scale the column rounds whole numbers.
  if (numbers.size() != 2 || numbers[1] < 0) return {.whole = 0, .scale = 0};
  return {.whole = numbers[0] - numbers[1], .scale = numbers[1]};
}

/// Decimal digits that a whole number type may have; 0 for other types.
int whole_digits(const Type& type) {
  switch (type.id) {
    case TypeId::int16: return 5;
    case TypeId::int32: return 10;
    case TypeId::int64: return 19;
    default: return 0;
  }
}

bool numeric_holds(const ColumnType& column, const Type& type) {
  const auto digits = digits_of(column.modifier);
  if (const int whole = whole_digits(type); whole > 0) return digits.whole >= whole;
  if (type.id != TypeId::decimal) return false;
  if (type.precision == 0) return column.modifier.empty();
  return digits.scale >= type.scale && digits.whole >= type.precision - type.scale;
}

bool integer_holds(std::string_view name, const Type& type) {
  const int room = name == "smallint" ? 5 : name == "integer" ? 10 : 19;
  if (type.id == TypeId::decimal) {
    return type.precision > 0 && type.scale == 0 && type.precision < room;
  }
  const int whole = whole_digits(type);
  return whole > 0 && whole <= room;
}

bool characters_hold(const ColumnType& column, const Type& type, const StoredType& native) {
  if (column.modifier.empty()) return column.name == "character varying";
  const auto numbers = numbers_of(column.modifier);
  if (numbers.size() != 1) return false;
  const int room = numbers[0];
  // Blanks at the end are nothing to character(n), so only what comes from such a type may go into one.
  if (column.name == "character") return native.name == "character" && type.precision <= room;
  return type.id == TypeId::string && type.precision > 0 && type.precision <= room;
}

bool array_holds(const ColumnType& column, const Type& type, const ServerTypes& server) {
  if (!column.name.ends_with("[]")) return false;
  auto element = column;
  element.name.resize(element.name.size() - 2);
  // Whether the elements are of a user's enum or composite type is not told by the array; their text is.
  const auto& form = type.element->form;
  if ((form == "enum" || form == "composite") && element.name.find('.') != element.name.npos) return true;
  return can_hold(element, *type.element, server);
}

}  // namespace

StoredType stored_type(const Type& type, const ServerTypes& server) {
  switch (type.id) {
    case TypeId::boolean: return plain("boolean");
    case TypeId::int16: return plain("smallint");
    case TypeId::int32: return plain("integer");
    case TypeId::int64: return plain("bigint");
    case TypeId::float32: return plain("real");
    case TypeId::float64: return plain("double precision");
    case TypeId::decimal: {
      auto stored = plain("numeric");
      if (type.precision > 0) stored.modifier = fmt::format("({},{})", type.precision, type.scale);
      return stored;
    }
    case TypeId::string: return stored_string(type, server);
    case TypeId::bytes: return plain("bytea");
    case TypeId::date: return plain("date");
    case TypeId::time: return plain("time without time zone");
    case TypeId::timestamp: return plain("timestamp without time zone");
    case TypeId::timestamp_tz: return plain("timestamp with time zone");
    case TypeId::interval: return plain("interval");
    case TypeId::uuid: return plain("uuid");
    case TypeId::json: return plain(type.form == "jsonb" ? "jsonb" : "json");
    case TypeId::array: return stored_array(type, server);
  }
  return {.name = "", .modifier = {}, .fidelity = Fidelity::unsupported, .note = "not a type that we know"};
}

std::string unlimited(const ColumnType& column) {
  const auto dimensions = column.name.find("[]");
  const auto name = column.name.substr(0, dimensions);
  const auto brackets = dimensions == std::string::npos ? std::string() : column.name.substr(dimensions);
  if (name == "character") return "pg_catalog.bpchar" + brackets;
  if (name == "bit") return "pg_catalog.\"bit\"" + brackets;
  return column.name;
}

bool can_hold(const ColumnType& column, const Type& type, const ServerTypes& server) {
  if (column.name == "text") return true;
  if (type.id == TypeId::array) return array_holds(column, type, server);
  if (column.kind == 'e') return type.form == "enum" || type.form.empty();
  if (column.kind == 'c') return type.form == "composite";
  if (column.name == "numeric") return numeric_holds(column, type);
  if (column.name == "smallint" || column.name == "integer" || column.name == "bigint") {
    return integer_holds(column.name, type);
  }
  const auto native = stored_type(type, server);
  if (column.name == "character varying" || column.name == "character") {
    return characters_hold(column, type, native);
  }
  if (column.name == "double precision" && (type.id == TypeId::float32 || type.id == TypeId::int16 ||
                                            type.id == TypeId::int32 || type.id == TypeId::float64)) {
    return true;
  }
  if (column.name == "jsonb" && type.id == TypeId::json) return true;
  if (type.id == TypeId::string && type.form.empty() && column.name.ends_with("citext")) return true;
  return column.name == native.name && (column.modifier.empty() || column.modifier == native.modifier);
}

}  // namespace maia::postgres
