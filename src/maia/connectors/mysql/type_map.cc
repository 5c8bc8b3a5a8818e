// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/type_map.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

namespace maia::mysql {
namespace {

constexpr std::uint32_t kMaxCharacters = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t kMaxDecimalDigits = 38;

MappedType exact(Type type) { return {.type = std::move(type), .note = {}}; }
MappedType widened(Type type, std::string note = {}) {
  return {.type = std::move(type), .fidelity = Fidelity::widened, .note = std::move(note)};
}
MappedType as_text(std::string form, std::string note) {
  return {.type = Type::text(std::move(form)), .fidelity = Fidelity::as_text, .note = std::move(note)};
}
Type text(std::uint32_t characters, std::string form = {}) {
  auto type = Type::text(std::move(form));
  if (characters <= kMaxCharacters) type.precision = static_cast<std::uint16_t>(characters);
  return type;
}

MappedType map_decimal(const NativeType& type) {
  if (type.length <= kMaxDecimalDigits) {
    return exact(
        Type::decimal(static_cast<std::uint16_t>(type.length), static_cast<std::uint16_t>(type.scale)));
  }
  return widened(Type::decimal(0, 0), fmt::format("held without a limit; {} is not carried", type.spelled));
}

/// Whole numbers by name: signed and unsigned.
MappedType map_integer(const NativeType& type) {
  const bool wide = type.is_unsigned;
  if (type.name == "tinyint" || type.name == "year") return widened(Type::of(TypeId::int16));
  if (type.name == "smallint")
    return wide ? widened(Type::of(TypeId::int32)) : exact(Type::of(TypeId::int16));
  if (type.name == "mediumint") return widened(Type::of(TypeId::int32));
  if (type.name == "int") return wide ? widened(Type::of(TypeId::int64)) : exact(Type::of(TypeId::int32));
  return wide ? widened(Type::decimal(20, 0)) : exact(Type::of(TypeId::int64));
}

MappedType map_time(const NativeType& type) {
  if (type.name == "date") return exact(Type::of(TypeId::date));
  if (type.name == "datetime") return exact(Type::of(TypeId::timestamp));
  if (type.name == "timestamp") return exact(Type::of(TypeId::timestamp_tz));
  return {.type = Type::of(TypeId::time), .note = "a time that is no time of a day is refused"};
}

using Mapping = MappedType (*)(const NativeType&);
constexpr std::array<std::pair<std::string_view, Mapping>, 33> kTypes = {{
    {"tinyint", map_integer},
    {"smallint", map_integer},
    {"mediumint", map_integer},
    {"int", map_integer},
    {"bigint", map_integer},
    {"year", map_integer},
    {"decimal", map_decimal},
    {"float", [](const NativeType&) { return exact(Type::of(TypeId::float32)); }},
    {"double", [](const NativeType&) { return exact(Type::of(TypeId::float64)); }},
    {"bit", [](const NativeType& type) { return exact(text(type.has_length ? type.length : 1, "bit")); }},
    {"date", map_time},
    {"datetime", map_time},
    {"timestamp", map_time},
    {"time", map_time},
    {"char", [](const NativeType& type) { return exact(text(type.length)); }},
    {"varchar", [](const NativeType& type) { return exact(text(type.length)); }},
    {"tinytext", [](const NativeType&) { return exact(Type::text()); }},
    {"text", [](const NativeType&) { return exact(Type::text()); }},
    {"mediumtext", [](const NativeType&) { return exact(Type::text()); }},
    {"longtext", [](const NativeType&) { return exact(Type::text()); }},
    {"binary", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"varbinary", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"tinyblob", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"blob", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"mediumblob", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"longblob", [](const NativeType&) { return exact(Type::of(TypeId::bytes)); }},
    {"enum",
     [](const NativeType&) { return as_text("enum", "its labels; their order stays at the source"); }},
    {"set", [](const NativeType&) { return as_text("", "its labels with commas between them"); }},
    {"json",
     [](const NativeType&) { return exact(Type{.id = TypeId::json, .form = "jsonb", .element = {}}); }},
    {"inet4", [](const NativeType&) { return as_text("inet", ""); }},
    {"inet6", [](const NativeType&) { return as_text("inet", ""); }},
    {"uuid", [](const NativeType&) { return exact(Type::of(TypeId::uuid)); }},
    {"vector", [](const NativeType&) { return widened(Type::array_of(Type::of(TypeId::float32))); }},
}};

}  // namespace

MappedType map_type(const NativeType& type) {
  for (const auto& [name, mapping] : kTypes) {
    if (type.name == name) return mapping(type);
  }
  constexpr std::array<std::string_view, 9> kShapes = {
      "geometry",        "point",        "linestring",         "polygon",       "multipoint",
      "multilinestring", "multipolygon", "geometrycollection", "geomcollection"};
  for (const auto shape : kShapes) {
    if (type.name == shape)
      return widened(Type::of(TypeId::bytes), "four bytes of SRID, then well-known binary");
  }
  return {.type = Type::text(),
          .fidelity = Fidelity::unsupported,
          .note = fmt::format("the type {} is not known", type.spelled)};
}

}  // namespace maia::mysql
