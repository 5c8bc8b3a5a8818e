// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/datum.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "maia/base/json_text.h"
#include "maia/codec/json_value.h"
#include "maia/types/float_text.h"
#include "maia/types/value_text.h"

namespace maia::kafka {
namespace {

/// The width of integers, 0 for all other types.
int whole_rank(const Type& type) {
  switch (type.id) {
    case TypeId::int16: return 1;
    case TypeId::int32: return 2;
    case TypeId::int64: return 3;
    default: return 0;
  }
}

bool is_real(const Type& type) { return type.id == TypeId::float32 || type.id == TypeId::float64; }

Error does_not_fit(const Type& type) {
  return Error{Error::Code::data, Recovery::halt, "the value is no " + to_string(type)};
}

/// The value alone in a column of its own type.
std::optional<ColumnVector> alone(const Datum& datum) {
  ColumnVector column(physical(*datum.type));
  if (!push(column, *datum.type, datum).ok()) return std::nullopt;
  return column;
}

/// The value as the text of another type.
std::string canonical_text(const Datum& datum) {
  std::string out;
  switch (datum.kind) {
    case Datum::Kind::null: return out;
    case Datum::Kind::boolean: out = datum.whole != 0 ? "true" : "false"; return out;
    case Datum::Kind::record:
    case Datum::Kind::list: append_json(out, datum); return out;
    case Datum::Kind::whole:
    case Datum::Kind::real:
    case Datum::Kind::text: break;
  }
  if (datum.type) {
    if (const auto column = alone(datum)) {
      append_value_text(out, *datum.type, *column, 0);
      return out;
    }
  }
  if (datum.is(Datum::Kind::whole)) return std::to_string(datum.whole);
  if (datum.is(Datum::Kind::text)) return datum.text;
  append_float(out, datum.real);
  return out;
}

template <class T>
bool push_whole(ColumnVector& column, const Datum& datum) {
  if (!datum.is(Datum::Kind::whole)) return false;
  if (datum.whole < std::numeric_limits<T>::min() || datum.whole > std::numeric_limits<T>::max())
    return false;
  column.push_fixed(static_cast<T>(datum.whole));
  return true;
}

template <class T>
bool push_real(ColumnVector& column, const Datum& datum) {
  if (datum.is(Datum::Kind::real)) {
    const auto value = static_cast<T>(datum.real);
    if (static_cast<double>(value) != datum.real && !std::isnan(datum.real)) return false;
    column.push_fixed(value);
    return true;
  }
  constexpr std::int64_t kExact = std::int64_t{1} << std::numeric_limits<T>::digits;
  if (!datum.is(Datum::Kind::whole) || datum.whole > kExact || datum.whole < -kExact) return false;
  column.push_fixed(static_cast<T>(datum.whole));
  return true;
}

/// A text that somebody wrote for a date or an instant: ISO 8601 has a T in the middle.
std::string without_t(std::string text) {
  if (text.size() > 10 && (text[10] == 'T' || text[10] == 't')) text[10] = ' ';
  return text;
}

bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

/// Pushes what needs no text in between; false if this is not such a value.
bool push_as_it_is(ColumnVector& column, const Type& type, const Datum& datum) {
  const bool same = datum.type && *datum.type == type;
  const bool plain = !datum.type || whole_rank(*datum.type) > 0 || is_real(*datum.type) || same;
  switch (type.id) {
    case TypeId::boolean:
      if (!datum.is(Datum::Kind::boolean)) return false;
      column.push_fixed(static_cast<std::uint8_t>(datum.whole));
      return true;
    case TypeId::int16: return plain && push_whole<std::int16_t>(column, datum);
    case TypeId::int32: return plain && push_whole<std::int32_t>(column, datum);
    case TypeId::int64: return plain && push_whole<std::int64_t>(column, datum);
    case TypeId::date: return same && push_whole<std::int32_t>(column, datum);
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return same && push_whole<std::int64_t>(column, datum);
    case TypeId::float32: return plain && push_real<float>(column, datum);
    case TypeId::float64: return plain && push_real<double>(column, datum);
    case TypeId::string:
    case TypeId::bytes:
    case TypeId::array: {
      const bool is_text = !datum.type || datum.type->id == type.id;
      if (!datum.is(Datum::Kind::text) || !is_text || (type.id != TypeId::string && !same)) return false;
      column.push_text(datum.text);
      return true;
    }
    case TypeId::json: {
      std::string text;
      // A text in a column that somebody declared as JSON is JSON's text, if it can be.
      const bool of_text = !datum.type || datum.type->id == TypeId::string;
      if (datum.is(Datum::Kind::text) && (same || (of_text && is_json(datum.text)))) {
        text = datum.text;
      } else {
        append_json(text, datum);
      }
      column.push_text(text);
      return true;
    }
    case TypeId::decimal:
    case TypeId::interval:
    case TypeId::uuid: return false;
  }
  return false;
}

}  // namespace

const Datum* Datum::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::string_view Datum::text_of(std::string_view name) const {
  const auto* member = find(name);
  return member && member->is(Kind::text) ? std::string_view(member->text) : std::string_view();
}

std::optional<Type> type_of(const Datum& datum) {
  if (datum.type) return datum.type;
  switch (datum.kind) {
    case Datum::Kind::null: return std::nullopt;
    case Datum::Kind::boolean: return Type::of(TypeId::boolean);
    case Datum::Kind::whole: return Type::of(TypeId::int64);
    case Datum::Kind::real: return Type::of(TypeId::float64);
    case Datum::Kind::text: return Type::text();
    case Datum::Kind::record:
    case Datum::Kind::list: return Type::of(TypeId::json);
  }
  return std::nullopt;
}

Type wider(const Type& a, const Type& b) {
  if (a == b) return a;
  if (whole_rank(a) > 0 && whole_rank(b) > 0) return whole_rank(a) > whole_rank(b) ? a : b;
  if ((whole_rank(a) > 0 || is_real(a)) && (whole_rank(b) > 0 || is_real(b)))
    return Type::of(TypeId::float64);
  if (a.id == TypeId::decimal && b.id == TypeId::decimal) {
    const int scale = std::max(a.scale, b.scale);
    const int digits = std::max(a.precision - a.scale, b.precision - b.scale) + scale;
    const bool fits = a.precision > 0 && b.precision > 0 && digits <= 38;
    return fits ? Type::decimal(static_cast<std::uint16_t>(digits), static_cast<std::uint16_t>(scale))
                : Type::decimal(0, 0);
  }
  if ((a.id == TypeId::decimal && whole_rank(b) > 0) || (b.id == TypeId::decimal && whole_rank(a) > 0))
    return Type::decimal(0, 0);
  return Type::text();
}

void append_json(std::string& out, const Datum& datum) {
  switch (datum.kind) {
    case Datum::Kind::null: out += "null"; return;
    case Datum::Kind::boolean: out += datum.whole != 0 ? "true" : "false"; return;
    case Datum::Kind::record:
    case Datum::Kind::list: {
      const bool record = datum.is(Datum::Kind::record);
      out += record ? '{' : '[';
      for (std::size_t i = 0; i < datum.items.size(); ++i) {
        if (i > 0) out += ',';
        if (record) {
          append_json_string(out, datum.names[i]);
          out += ':';
        }
        append_json(out, datum.items[i]);
      }
      out += record ? '}' : ']';
      return;
    }
    case Datum::Kind::whole:
    case Datum::Kind::real:
    case Datum::Kind::text: break;
  }
  if (datum.type && datum.type->id == TypeId::json) {
    out += datum.text;
    return;
  }
  if (datum.type) {
    if (const auto column = alone(datum)) return codec::append_json_value(out, *datum.type, *column, 0);
  }
  if (datum.is(Datum::Kind::whole)) {
    out += std::to_string(datum.whole);
  } else if (datum.is(Datum::Kind::text)) {
    append_json_string(out, datum.text);
  } else {
    Datum typed = datum;
    typed.type = Type::of(TypeId::float64);
    const auto column = alone(typed);
    codec::append_json_value(out, *typed.type, *column, 0);
  }
}

Status push(ColumnVector& column, const Type& type, const Datum& datum) {
  if (datum.is(Datum::Kind::null)) {
    column.push_null();
    return {};
  }
  if (push_as_it_is(column, type, datum)) return {};
  const bool number = whole_rank(type) > 0 || is_real(type) || type.id == TypeId::boolean;
  const bool same = datum.type && *datum.type == type;
  // Numbers that did not fit above do not fit; a text is not a number only because it has digits.
  if (number) return does_not_fit(type);
  if (type.id == TypeId::bytes) {
    const auto bytes = datum.is(Datum::Kind::text) && !datum.type ? from_base64(datum.text) : std::nullopt;
    if (!bytes) return does_not_fit(type);
    column.push_text(*bytes);
    return {};
  }
  if (type.id == TypeId::string) {
    column.push_text(canonical_text(datum));
    return {};
  }
  if (same && !datum.is(Datum::Kind::text)) return does_not_fit(type);
  // Only from a text of the type itself: `canonical_text` of such a value comes here.
  const auto text = datum.is(Datum::Kind::text) ? without_t(datum.text) : canonical_text(datum);
  if (!push_value_text(column, type, text).ok()) return does_not_fit(type);
  return {};
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const char c = text[i + j];
      if (c == '=' && i + 4 == text.size() && j >= 2) {
        ++padding;
        group <<= 6;
        continue;
      }
      const auto value = kAlphabet.find(c);
      if (padding > 0 || value == kAlphabet.npos) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (std::size_t j = 0; j + padding < 3; ++j) out += static_cast<char>(group >> (16 - 8 * j) & 0xff);
  }
  return out;
}

std::optional<Type> type_named(std::string_view name) {
  constexpr TypeId kPlain[] = {TypeId::boolean,  TypeId::int16,   TypeId::int32,     TypeId::int64,
                               TypeId::float32,  TypeId::float64, TypeId::string,    TypeId::bytes,
                               TypeId::date,     TypeId::time,    TypeId::timestamp, TypeId::timestamp_tz,
                               TypeId::interval, TypeId::uuid,    TypeId::json};
  for (const auto id : kPlain) {
    if (name == to_string(id)) return Type::of(id);
  }
  if (name == "decimal") return Type::decimal(0, 0);
  constexpr std::string_view kDecimal = "decimal(";
  if (!name.starts_with(kDecimal) || !name.ends_with(')')) return std::nullopt;
  const auto inside = name.substr(kDecimal.size(), name.size() - kDecimal.size() - 1);
  const auto comma = inside.find(',');
  const auto number = [](std::string_view text) -> std::optional<std::uint16_t> {
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const auto precision = number(inside.substr(0, comma));
  const auto scale =
      comma == inside.npos ? std::optional<std::uint16_t>(0) : number(inside.substr(comma + 1));
  if (!precision || !scale || *precision < 1 || *precision > 38 || *scale > *precision) return std::nullopt;
  return Type::decimal(*precision, *scale);
}

}  // namespace maia::kafka
