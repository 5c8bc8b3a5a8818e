// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/type_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "maia/connectors/postgres/builtin_types.h"

namespace maia::postgres {
namespace {

constexpr std::int32_t kVarHeader = 4;  // what the length modifiers of text types are raised by
constexpr int kMaxCharacters = std::numeric_limits<std::uint16_t>::max();
constexpr int kMaxDecimalDigits = 38;
constexpr std::uint16_t kMaxDimensions = 6;

void widen(MappedType& mapped, std::string note) {
  mapped.fidelity = std::max(mapped.fidelity, Fidelity::widened);
  mapped.note = mapped.note.empty() ? std::move(note) : std::move(note) + "; " + mapped.note;
}

MappedType printed(const NativeType& type, std::string form, std::string note) {
  return {.type = Type::text(std::move(form)),
          .fidelity = Fidelity::as_text,
          .note = std::move(note),
          .native_oid = type.oid};
}

// numeric(p,s): the modifier holds p in its upper half and s as an 11-bit signed number in its lower.
void map_numeric(MappedType& mapped, std::int32_t typmod) {
  mapped.type = Type::decimal(0, 0);
  if (typmod < kVarHeader) return;
  const int precision = ((typmod - kVarHeader) >> 16) & 0xffff;
  const int scale = (((typmod - kVarHeader) & 0x7ff) ^ 1024) - 1024;
  if (precision <= kMaxDecimalDigits && scale >= 0 && scale <= precision) {
    mapped.type = Type::decimal(static_cast<std::uint16_t>(precision), static_cast<std::uint16_t>(scale));
    return;
  }
  widen(mapped,
        fmt::format("held without a limit; the declared numeric({},{}) is not carried", precision, scale));
}

void map_length(MappedType& mapped, std::int32_t length, std::string_view unlimited_form) {
  if (length <= 0) return;
  if (length <= kMaxCharacters) {
    mapped.type.precision = static_cast<std::uint16_t>(length);
    return;
  }
  mapped.type.form = unlimited_form;
  widen(mapped, fmt::format("the declared length {} is not carried", length));
}

MappedType map_builtin(const NativeType& type, const BuiltinType& builtin) {
  MappedType mapped{.type = Type::of(builtin.id),
                    .fidelity = builtin.fidelity,
                    .note = std::string(builtin.note),
                    .has_binary = builtin.has_binary,
                    .native_oid = type.oid,
                    .decoded_oid = type.oid};
  mapped.type.form = builtin.form;
  switch (type.oid) {
    case oid::kNumeric: map_numeric(mapped, type.typmod); break;
    case oid::kXid8: mapped.type = Type::decimal(20, 0); break;
    case oid::kVarchar: map_length(mapped, type.typmod - kVarHeader, ""); break;
    case oid::kBpchar: map_length(mapped, type.typmod - kVarHeader, "bpchar"); break;
    case oid::kBit:
      // Without a length (a column of CREATE TABLE AS) it holds any number of bits, which only varbit does.
      if (type.typmod <= 0) mapped.type.form = "varbit";
      map_length(mapped, type.typmod, "varbit");
      break;
    case oid::kVarbit: map_length(mapped, type.typmod, "varbit"); break;
    case oid::kTime:
    case oid::kTimetz:
    case oid::kTimestamp:
    case oid::kTimestamptz:
    case oid::kInterval:
      if (type.typmod >= 0) widen(mapped, "held in microseconds; the declared precision is not carried");
      break;
    default: break;  // the other types have no modifier
  }
  return mapped;
}

MappedType map_array(const NativeType& type, std::uint16_t dimensions) {
  auto element = map_type(*type.inner);
  if (type.inner->delimiter != ',') {
    return printed(type, "",
                   fmt::format("array of {}, whose elements have the delimiter '{}'; as its output text",
                               type.inner->spelled, type.inner->delimiter));
  }
  const auto declared = static_cast<std::uint8_t>(std::clamp<std::uint16_t>(dimensions, 1, kMaxDimensions));
  MappedType mapped{.type = Type::array_of(element.type, declared),
                    .fidelity = element.fidelity,
                    .note = element.note.empty() ? "" : "elements: " + element.note,
                    .native_oid = type.oid};
  // An array of a domain over an array is read as text.
  if (element.has_binary && element.type.id != TypeId::array) {
    mapped.has_binary = true;
    mapped.element = std::make_shared<const MappedType>(std::move(element));
  }
  return mapped;
}

MappedType map_domain(const NativeType& type, std::uint16_t dimensions) {
  auto mapped = map_type(*type.inner, dimensions);
  mapped.native_oid = type.oid;
  widen(mapped, fmt::format("domain over {}; its constraints stay at the source", type.inner->spelled));
  return mapped;
}

MappedType map_enumeration(const NativeType& type) {
  auto mapped = printed(type, "enum", "its labels as text; their order stays at the source");
  mapped.has_binary = true;
  mapped.decoded_oid = oid::kText;
  return mapped;
}

MappedType map_extension_type(const NativeType& type) {
  if (type.name == "hstore") return printed(type, "hstore", "");
  if (type.name == "citext") {
    auto mapped = printed(type, "", "compared without regard to case at the source, with it elsewhere");
    mapped.has_binary = true;
    mapped.decoded_oid = oid::kText;
    return mapped;
  }
  return printed(type, "",
                 fmt::format("type {}.{} has no form here; as its output text", type.schema, type.name));
}

bool is_builtin_range(const NativeType& type) {
  return type.schema == "pg_catalog" && (type.kind == TypeKind::range || type.kind == TypeKind::multirange);
}

}  // namespace

MappedType map_type(const NativeType& type, std::uint16_t dimensions) {
  if (const auto* builtin = find_builtin(type.oid)) return map_builtin(type, *builtin);
  switch (type.kind) {
    case TypeKind::array: return map_array(type, dimensions);
    case TypeKind::domain: return map_domain(type, dimensions);
    case TypeKind::enumeration: return map_enumeration(type);
    case TypeKind::composite: return printed(type, "composite", "its fields as one row literal");
    case TypeKind::range:
    case TypeKind::multirange:
      if (is_builtin_range(type)) return printed(type, type.name, "");
      return printed(type, "", fmt::format("range type {} as its output text", type.spelled));
    case TypeKind::base:
    case TypeKind::pseudo: break;
  }
  return map_extension_type(type);
}

Column map_column(const NativeColumn& column, const MappedType& mapped) {
  return {.name = column.name,
          .type = mapped.type,
          .nullable = !column.not_null,
          .generated = column.generated != 0,
          .native_type = column.type.spelled,
          .id = std::to_string(column.attnum)};
}

ColumnMapping mapping_of(const NativeColumn& column, const MappedType& mapped) {
  return {.column = column.name,
          .native_type = column.type.spelled,
          .fidelity = mapped.fidelity,
          .note = mapped.note};
}

}  // namespace maia::postgres
