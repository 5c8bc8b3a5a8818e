// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace maia {

/// The canonical types: the hub through which every connector maps, never to a peer's types. A closed
/// list; what a source has beyond it travels as `string` with a `form` that names its text form.
enum class TypeId : std::uint8_t {
  boolean = 1,
  int16,
  int32,
  int64,
  float32,
  float64,
  decimal,  ///< precision 1..38 with scale, or precision 0: any size, kept as canonical text
  string,   ///< UTF-8
  bytes,
  date,          ///< proleptic Gregorian
  time,          ///< 00:00:00 to 24:00:00 inclusive, microseconds
  timestamp,     ///< no zone, microseconds
  timestamp_tz,  ///< an instant, microseconds, UTC
  interval,      ///< months, days and microseconds, each signed and never normalised
  uuid,
  json,   ///< JSON text; form "jsonb" when the source normalises it
  array,  ///< one-based rectangular array of `element`, as a literal (see below)
};

/// How the values of a type lie in memory (types/column_vector.h).
enum class Physical : std::uint8_t { u8, i16, i32, i64, f32, f64, i128, interval, uuid, varlen };

/// | type | physical | value |
/// | --- | --- | --- |
/// | boolean | u8 | 0 or 1 |
/// | date | i32 | days since 1970-01-01; INT32_MAX and INT32_MIN are plus and minus infinity |
/// | time | i64 | microseconds since midnight, 0 to 86,400,000,000 |
/// | timestamp, timestamp_tz | i64 | microseconds since 1970; INT64_MAX and INT64_MIN are infinity |
/// | decimal, precision 1..38 | i128 | value times 10^scale; sentinels in types/decimal.h |
/// | decimal, precision 0 | varlen | canonical text: "-12.50", "NaN", "Infinity", "-Infinity" |
/// | interval | interval | types/column_vector.h |
/// | uuid | uuid | 16 bytes in text order |
/// | array | varlen | PostgreSQL's array literal: {1,NULL,"a b"}, nested braces for more dimensions, an
///   optional prefix [0:1]= for lower bounds; elements in their canonical text. It is our canonical
///   form because it holds NULLs, bounds and any number of dimensions |
struct Type {
  TypeId id = TypeId::string;
  std::uint16_t precision = 0;  ///< decimal: digits, 0 = any size; string: characters, 0 = any
  std::uint16_t scale = 0;      ///< decimal only
  /// string and json only: the well-known text form that values follow, "" for plain text. Names are
  /// lower-case: inet cidr macaddr macaddr8 bit varbit timetz money xml tsvector tsquery hstore point
  /// line lseg box path polygon circle int4range (and each other range and multirange by its name)
  /// jsonb bpchar; "enum" and "composite". Destinations that know a form may store it natively;
  /// others store text. Part of the hub: a name means the same from every source.
  std::string form;
  std::shared_ptr<const Type> element;  ///< arrays only
  std::uint8_t dimensions = 0;          ///< arrays only: as declared; 0 or 1 = one

  static Type of(TypeId id) { return Type{.id = id, .form = {}, .element = nullptr}; }
  static Type decimal(std::uint16_t precision, std::uint16_t scale) {
    return Type{
        .id = TypeId::decimal, .precision = precision, .scale = scale, .form = {}, .element = nullptr};
  }
  static Type text(std::string form = {}) {
    return Type{.id = TypeId::string, .form = std::move(form), .element = nullptr};
  }
  static Type array_of(Type element, std::uint8_t dimensions = 1) {
    return Type{.id = TypeId::array,
                .form = {},
                .element = std::make_shared<const Type>(std::move(element)),
                .dimensions = dimensions};
  }
  friend bool operator==(const Type& a, const Type& b);
};

Physical physical(const Type& type);
/// Bytes that one value takes; 0 for varlen.
std::size_t width(Physical physical);

/// "decimal(10,2)", "array of int32", "string (inet)"; for people, plans and the journal's catalogue.
std::string to_string(const Type& type);
std::string_view to_string(TypeId id);

}  // namespace maia
