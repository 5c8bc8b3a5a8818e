// SPDX-License-Identifier: Apache-2.0
#include "maia/types/value_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "maia/types/decimal.h"
#include "maia/types/float_text.h"
#include "maia/types/time_text.h"

namespace maia {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

template <class T>
void append_integer(std::string& out, T value) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

void append_hex(std::string& out, std::uint8_t byte) {
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

void append_bytes(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + 2 + bytes.size() * 2);
  out += "\\x";
  for (const char c : bytes) append_hex(out, static_cast<std::uint8_t>(c));
}

void append_uuid(std::string& out, const Uuid& uuid) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    append_hex(out, uuid.bytes[i]);
  }
}

/// The value of each hex digit, -1 for all other characters; branches on random digits would cost much more.
constexpr auto kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 16; ++i)
    values[static_cast<unsigned char>(kHexDigits[i])] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) values[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(10 + i);
  return values;
}();

/// 0 to 255, or -1 if there are no two hex digits at `at`.
int hex_byte(std::string_view text, std::size_t at) {
  if (at + 2 > text.size()) return -1;
  const int high = kHexValues[static_cast<unsigned char>(text[at])];
  const int low = kHexValues[static_cast<unsigned char>(text[at + 1])];
  return (high | low) < 0 ? -1 : high * 16 + low;
}

std::optional<std::uint8_t> parse_boolean(std::string_view text) {
  if (text == "t" || text == "true") return 1;
  if (text == "f" || text == "false") return 0;
  return std::nullopt;
}

template <class T>
std::optional<T> parse_integer(std::string_view text) {
  T value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

std::optional<int128> parse_bounded_decimal(std::string_view text, const Type& type) {
  const auto value = parse_decimal(text, type.scale);
  if (!value || *value == kDecimalNaN || *value == kDecimalPlusInfinity || *value == kDecimalMinusInfinity) {
    return value;
  }
  int128 limit = 1;
  for (unsigned i = 0; i < type.precision; ++i) limit *= 10;
  return *value<limit&& * value> - limit ? value : std::nullopt;
}

/// Whether the text is a decimal of any size in canonical form.
bool is_unbounded_decimal(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction = point == text.npos ? std::string_view("0") : text.substr(point + 1);
  constexpr auto kDigits = "0123456789";
  return !whole.empty() && !fraction.empty() && whole.find_first_not_of(kDigits) == whole.npos &&
         fraction.find_first_not_of(kDigits) == fraction.npos;
}

std::optional<std::string> parse_bytes(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2 - 1);
  for (std::size_t at = 2; at < text.size(); at += 2) {
    const int byte = hex_byte(text, at);
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-') return std::nullopt;
    }
    const int byte = hex_byte(text, at);
    if (byte < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::uint8_t>(byte);
    at += 2;
  }
  return uuid;
}

template <class T>
bool push(ColumnVector& column, const std::optional<T>& value) {
  if (value) column.push_fixed(*value);
  return value.has_value();
}

bool push_text(ColumnVector& column, std::string_view text, bool valid = true) {
  if (valid) column.push_text(text);
  return valid;
}

bool push_bytes(ColumnVector& column, std::string_view text) {
  const auto bytes = parse_bytes(text);
  return bytes && push_text(column, *bytes);
}

bool push_parsed(ColumnVector& column, const Type& type, std::string_view text) {
  switch (type.id) {
    case TypeId::boolean: return push(column, parse_boolean(text));
    case TypeId::int16: return push(column, parse_integer<std::int16_t>(text));
    case TypeId::int32: return push(column, parse_integer<std::int32_t>(text));
    case TypeId::int64: return push(column, parse_integer<std::int64_t>(text));
    case TypeId::float32: return push(column, parse_float<float>(text));
    case TypeId::float64: return push(column, parse_float<double>(text));
    case TypeId::decimal:
      if (type.precision == 0) return push_text(column, text, is_unbounded_decimal(text));
      return push(column, parse_bounded_decimal(text, type));
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: return push_text(column, text);
    case TypeId::bytes: return push_bytes(column, text);
    case TypeId::date: return push(column, parse_date(text));
    case TypeId::time: return push(column, parse_time(text));
    case TypeId::timestamp: return push(column, parse_timestamp(text, Zone::none));
    case TypeId::timestamp_tz: return push(column, parse_timestamp(text, Zone::utc));
    case TypeId::interval: return push(column, parse_interval(text));
    case TypeId::uuid: return push(column, parse_uuid(text));
  }
  return false;
}

}  // namespace

void append_value_text(std::string& out, const Type& type, const ColumnVector& column, std::size_t row) {
  MAIA_ASSERT(column.has_value(row));
  switch (type.id) {
    case TypeId::boolean: out += column.fixed<std::uint8_t>(row) != 0 ? 't' : 'f'; break;
    case TypeId::int16: append_integer(out, column.fixed<std::int16_t>(row)); break;
    case TypeId::int32: append_integer(out, column.fixed<std::int32_t>(row)); break;
    case TypeId::int64: append_integer(out, column.fixed<std::int64_t>(row)); break;
    case TypeId::float32: append_float(out, column.fixed<float>(row)); break;
    case TypeId::float64: append_float(out, column.fixed<double>(row)); break;
    case TypeId::decimal:
      if (type.precision == 0) {
        out += column.text(row);
      } else {
        append_decimal(out, column.fixed<int128>(row), type.scale);
      }
      break;
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: out += column.text(row); break;
    case TypeId::bytes: append_bytes(out, column.text(row)); break;
    case TypeId::date: append_date(out, column.fixed<std::int32_t>(row)); break;
    case TypeId::time: append_time(out, column.fixed<std::int64_t>(row)); break;
    case TypeId::timestamp: append_timestamp(out, column.fixed<std::int64_t>(row), Zone::none); break;
    case TypeId::timestamp_tz: append_timestamp(out, column.fixed<std::int64_t>(row), Zone::utc); break;
    case TypeId::interval: append_interval(out, column.fixed<Interval>(row)); break;
    case TypeId::uuid: append_uuid(out, column.fixed<Uuid>(row)); break;
  }
}

Status push_value_text(ColumnVector& column, const Type& type, std::string_view text) {
  if (push_parsed(column, type, text)) return {};
  return Error{
      .code = Error::Code::data,
      .recovery = Recovery::halt,
      .message = fmt::format("the text is not a value of type {}, or beyond its range", to_string(type)),
      .hint = {}};
}

}  // namespace maia
