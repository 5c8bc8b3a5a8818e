// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/value_literal.h"

#include <charconv>
#include <cmath>

#include "maia/types/decimal.h"
#include "maia/types/time_text.h"
#include "maia/types/value_text.h"

namespace maia::mysql {
namespace {

constexpr std::int32_t kFirstDay = -719'162;  // 0001-01-01
constexpr std::int32_t kLastDay = 2'932'896;  // 9999-12-31
constexpr std::int64_t kDayMicros = 86'400'000'000;

Error beyond(std::string message) { return Error{.code = Error::Code::data, .message = std::move(message)}; }

void append_escaped(std::string& sql, std::string_view text) {
  sql += '\'';
  for (std::size_t from = 0;;) {
    const auto special = text.find_first_of(std::string_view("'\\\0", 3), from);
    sql.append(text.substr(from, special - from));
    if (special == text.npos) break;
    sql += '\\';
    sql += text[special] == '\0' ? '0' : text[special];
    from = special + 1;
  }
  sql += '\'';
}

/// With an exponent, so that the server reads a double and not a decimal.
Status append_double(std::string& sql, double value) {
  if (!std::isfinite(value)) return beyond("MySQL holds neither NaN nor infinity in a floating-point number");
  char digits[40];
  const auto [end, error] =
      std::to_chars(std::begin(digits), std::end(digits), value, std::chars_format::scientific);
  sql.append(digits, static_cast<std::size_t>(end - digits));
  return {};
}

Status append_fixed_decimal(std::string& sql, int128 value, unsigned scale) {
  if (value == kDecimalNaN || value == kDecimalPlusInfinity || value == kDecimalMinusInfinity)
    return beyond("MySQL holds neither NaN nor infinity in a decimal");
  append_decimal(sql, value, scale);
  return {};
}

Status append_day(std::string& sql, std::int32_t days) {
  if (days < kFirstDay || days > kLastDay) return beyond("MySQL holds dates of the years 1 to 9999");
  sql += '\'';
  append_date(sql, days);
  sql += '\'';
  return {};
}

Status append_moment(std::string& sql, std::int64_t micros) {
  if (micros < kFirstDay * kDayMicros || micros >= (kLastDay + 1) * kDayMicros)
    return beyond("MySQL holds times of the years 1 to 9999");
  sql += '\'';
  append_timestamp(sql, micros, Zone::none);
  sql += '\'';
  return {};
}

}  // namespace

void append_text_literal(std::string& sql, std::string_view text) { append_escaped(sql, text); }

void append_binary_literal(std::string& sql, std::string_view bytes) {
  sql += "_binary";
  append_escaped(sql, bytes);
}

Status append_literal(std::string& sql, const Type& type, const ColumnVector& column, std::size_t row) {
  if (column.presence(row) == Presence::null) {
    sql += "NULL";
    return {};
  }
  switch (type.id) {
    case TypeId::boolean: sql += column.fixed<std::uint8_t>(row) != 0 ? '1' : '0'; return {};
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::int64: append_value_text(sql, type, column, row); return {};
    case TypeId::float32: return append_double(sql, static_cast<double>(column.fixed<float>(row)));
    case TypeId::float64: return append_double(sql, column.fixed<double>(row));
    case TypeId::decimal:
      if (type.precision > 0) return append_fixed_decimal(sql, column.fixed<int128>(row), type.scale);
      break;
    case TypeId::bytes: append_binary_literal(sql, column.text(row)); return {};
    case TypeId::date: return append_day(sql, column.fixed<std::int32_t>(row));
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return append_moment(sql, column.fixed<std::int64_t>(row));
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: append_text_literal(sql, column.text(row)); return {};
    case TypeId::time:
    case TypeId::interval:
    case TypeId::uuid: break;
  }
  std::string text;
  append_value_text(text, type, column, row);
  append_text_literal(sql, text);
  return {};
}

}  // namespace maia::mysql
