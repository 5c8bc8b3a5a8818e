// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/json_value.h"

#include <cmath>

#include "maia/base/json_text.h"
#include "maia/codec/array_json.h"
#include "maia/types/float_text.h"
#include "maia/types/time_text.h"
#include "maia/types/value_text.h"

namespace maia::codec {
namespace {

void append_base64(std::string& out, std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.reserve(out.size() + bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      out += padding ? '=' : kAlphabet[group >> (18 - 6 * j) & 63];
    }
  }
}

template <class T>
void append_number(std::string& out, T value) {
  if (std::isfinite(value)) {
    append_float(out, value);
    // Without a fraction readers take it for an integer, which has no negative zero.
    if (value == 0 && std::signbit(value)) out += ".0";
    return;
  }
  out += '"';
  append_float(out, value);
  out += '"';
}

/// Canonical text that never needs escapes, in quotes.
void append_quoted(std::string& out, const Type& type, const ColumnVector& column, std::size_t row) {
  out += '"';
  append_value_text(out, type, column, row);
  out += '"';
}

}  // namespace

void append_json_value(std::string& out, const Type& type, const ColumnVector& column, std::size_t row) {
  switch (type.id) {
    case TypeId::boolean: out += column.fixed<std::uint8_t>(row) != 0 ? "true" : "false"; break;
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::int64: append_value_text(out, type, column, row); break;
    case TypeId::float32: append_number(out, column.fixed<float>(row)); break;
    case TypeId::float64: append_number(out, column.fixed<double>(row)); break;
    case TypeId::string:
    case TypeId::json: append_json_string(out, column.text(row)); break;
    case TypeId::bytes:
      out += '"';
      append_base64(out, column.text(row));
      out += '"';
      break;
    case TypeId::date:
      out += '"';
      append_iso_date(out, column.fixed<std::int32_t>(row));
      out += '"';
      break;
    case TypeId::timestamp:
    case TypeId::timestamp_tz:
      out += '"';
      append_iso_timestamp(out, column.fixed<std::int64_t>(row),
                           type.id == TypeId::timestamp_tz ? Zone::utc : Zone::none);
      out += '"';
      break;
    case TypeId::array: append_array_json(out, column.text(row), *type.element); break;
    case TypeId::decimal:
    case TypeId::time:
    case TypeId::interval:
    case TypeId::uuid: append_quoted(out, type, column, row); break;
  }
}

}  // namespace maia::codec
