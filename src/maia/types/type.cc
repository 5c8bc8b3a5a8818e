// SPDX-License-Identifier: Apache-2.0
#include "maia/types/type.h"

#include <fmt/format.h>

namespace maia {

bool operator==(const Type& a, const Type& b) {
  if (a.id != b.id || a.precision != b.precision || a.scale != b.scale || a.form != b.form ||
      a.dimensions != b.dimensions || !a.element != !b.element) {
    return false;
  }
  return !a.element || *a.element == *b.element;
}

Physical physical(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return Physical::u8;
    case TypeId::int16: return Physical::i16;
    case TypeId::int32:
    case TypeId::date: return Physical::i32;
    case TypeId::int64:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return Physical::i64;
    case TypeId::float32: return Physical::f32;
    case TypeId::float64: return Physical::f64;
    case TypeId::decimal: return type.precision == 0 ? Physical::varlen : Physical::i128;
    case TypeId::interval: return Physical::interval;
    case TypeId::uuid: return Physical::uuid;
    case TypeId::string:
    case TypeId::bytes:
    case TypeId::json:
    case TypeId::array: return Physical::varlen;
  }
  return Physical::varlen;
}

std::size_t width(Physical physical) {
  switch (physical) {
    case Physical::u8: return 1;
    case Physical::i16: return 2;
    case Physical::i32:
    case Physical::f32: return 4;
    case Physical::i64:
    case Physical::f64: return 8;
    case Physical::i128:
    case Physical::interval:
    case Physical::uuid: return 16;
    case Physical::varlen: return 0;
  }
  return 0;
}

std::string_view to_string(TypeId id) {
  switch (id) {
    case TypeId::boolean: return "boolean";
    case TypeId::int16: return "int16";
    case TypeId::int32: return "int32";
    case TypeId::int64: return "int64";
    case TypeId::float32: return "float32";
    case TypeId::float64: return "float64";
    case TypeId::decimal: return "decimal";
    case TypeId::string: return "string";
    case TypeId::bytes: return "bytes";
    case TypeId::date: return "date";
    case TypeId::time: return "time";
    case TypeId::timestamp: return "timestamp";
    case TypeId::timestamp_tz: return "timestamp_tz";
    case TypeId::interval: return "interval";
    case TypeId::uuid: return "uuid";
    case TypeId::json: return "json";
    case TypeId::array: return "array";
  }
  return "unknown";
}

std::string to_string(const Type& type) {
  if (type.id == TypeId::array) return "array of " + to_string(*type.element);
  std::string name(to_string(type.id));
  if (type.id == TypeId::decimal && type.precision > 0) {
    return fmt::format("{}({},{})", name, type.precision, type.scale);
  }
  if (type.id == TypeId::string && type.precision > 0) {
    name = fmt::format("{}({})", name, type.precision);
  }
  if (!type.form.empty()) return fmt::format("{} ({})", name, type.form);
  return name;
}

}  // namespace maia
