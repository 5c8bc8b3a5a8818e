// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/value_push.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "maia/types/calendar.h"
#include "maia/types/decimal.h"
#include "maia/types/float_text.h"
#include "maia/types/value_text.h"

namespace maia::mysql {
namespace {

Error refused(std::string_view what, std::string hint = {}) {
  return Error{.code = Error::Code::data, .message = std::string(what), .hint = std::move(hint)};
}

bool exists(const CalendarTime& at) {
  constexpr unsigned kLastYear = 9999;
  return at.year <= kLastYear && at.month >= 1 && at.month <= 12 && at.day >= 1 &&
         at.day <= days_in_month(at.year, at.month) && at.hour < 24 && at.minute < 60 && at.second < 60;
}

/// Reads numbers out of "2026-11-23 22:29:50.5" and "-12:34:56"; any other text makes it bad for good.
class TextParts {
 public:
  explicit TextParts(std::string_view text) : rest_(text) {}
  unsigned number() {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    ok_ = ok_ && failure == std::errc{};
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool skip(char c) {
    if (!ok_ || !rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) { ok_ = skip(c) && ok_; }
  /// Behind a point, if there is one.
  unsigned micros() {
    if (!skip('.')) return 0;
    unsigned value = 0, digits = 0;
    for (; digits < 6 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }
  bool complete() const { return ok_ && rest_.empty(); }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

Status push_calendar_text(ColumnVector& to, const Type& type, std::string_view text, ZeroDates zero) {
  TextParts parts(text);
  CalendarTime at;
  at.year = parts.number();
  parts.need('-');
  at.month = parts.number();
  parts.need('-');
  at.day = parts.number();
  if (!parts.at_end()) {
    parts.need(' ');
    at.hour = parts.number();
    parts.need(':');
    at.minute = parts.number();
    parts.need(':');
    at.second = parts.number();
    at.micros = parts.micros();
  }
  if (!parts.complete()) return refused("what the server sent is no date");
  return push_calendar(to, type, at, zero);
}

Status push_time_text(ColumnVector& to, std::string_view text) {
  TextParts parts(text);
  const bool negative = parts.skip('-');
  std::int64_t seconds = std::int64_t{parts.number()} * 3600;
  parts.need(':');
  seconds += std::int64_t{parts.number()} * 60;
  parts.need(':');
  seconds += parts.number();
  const auto micros = seconds * kMicrosPerSecond + parts.micros();
  if (!parts.complete()) return refused("what the server sent is no time");
  return push_time(to, negative ? -micros : micros);
}

}  // namespace

Error zero_date() {
  return refused("a date is zero, or none of the calendar",
                 "set zero_dates: null, or mend the row at the source");
}

Status push_integer(ColumnVector& to, const Type& type, bool is_unsigned, std::uint64_t bits) {
  const auto value = static_cast<std::int64_t>(bits);
  switch (type.id) {
    case TypeId::int16: to.push_fixed(static_cast<std::int16_t>(value)); return {};
    case TypeId::int32: to.push_fixed(static_cast<std::int32_t>(value)); return {};
    case TypeId::int64: to.push_fixed(value); return {};
    case TypeId::decimal:
      to.push_fixed(is_unsigned ? static_cast<int128>(bits) : static_cast<int128>(value));
      return {};
    default: return refused("a whole number does not fit the type of its column");
  }
}

Status push_decimal(ColumnVector& to, const Type& type, std::string_view text) {
  if (type.precision == 0) {
    to.push_text(text);
    return {};
  }
  const auto value = parse_decimal(text, type.scale);
  if (!value) return refused("a decimal does not fit the type of its column");
  to.push_fixed(*value);
  return {};
}

Status push_calendar(ColumnVector& to, const Type& type, const CalendarTime& at, ZeroDates zero) {
  if (!exists(at)) {
    if (zero == ZeroDates::refuse) return zero_date();
    to.push_null();
    return {};
  }
  const auto days = days_from_civil({.year = at.year, .month = at.month, .day = at.day});
  if (type.id == TypeId::date) {
    to.push_fixed(static_cast<std::int32_t>(days));
    return {};
  }
  const auto seconds = std::int64_t{at.hour} * 3600 + at.minute * 60 + at.second;
  to.push_fixed(days * kMicrosPerDay + seconds * kMicrosPerSecond + at.micros);
  return {};
}

Status push_time(ColumnVector& to, std::int64_t micros) {
  if (micros < 0 || micros > kMicrosPerDay) {
    return refused("a TIME is no time of a day, but below zero or above 24 hours",
                   "leave the column out with a transform, or mend the row at the source");
  }
  to.push_fixed(micros);
  return {};
}

void push_bits(ColumnVector& to, ByteView bytes, unsigned bits) {
  std::string text(bits, '0');
  for (unsigned i = 0; i < bits && i / 8 < bytes.size(); ++i) {
    const auto byte = bytes[bytes.size() - 1 - i / 8];
    if ((byte >> (i % 8) & 1) != 0) text[bits - 1 - i] = '1';
  }
  to.push_text(text);
}

Status push_vector(ColumnVector& to, ByteView floats) {
  if (floats.size() % sizeof(float) != 0) return refused("a VECTOR has no whole number of floats");
  std::string text = "{";
  for (std::size_t at = 0; at < floats.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, floats.data() + at, sizeof value);
    if (at > 0) text += ',';
    append_float(text, value);
  }
  to.push_text(text + "}");
  return {};
}

std::string select_expression(const NativeType& native, std::string_view column) {
  // As a double it is printed in full; FLOAT itself with six digits.
  if (native.name == "float") return fmt::format("{} + 0e0", column);
  return std::string(column);
}

Status push_selected(ColumnVector& to, const Type& type, const NativeType& native, std::string_view text,
                     ZeroDates zero) {
  if (native.name == "bit") {
    push_bits(to, as_bytes(text), native.has_length ? native.length : 1);
    return {};
  }
  if (native.name == "float") {
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size())
      return refused("what the server sent is no number");
    to.push_fixed(static_cast<float>(value));
    return {};
  }
  if (native.name == "vector") return push_vector(to, as_bytes(text));
  switch (type.id) {
    case TypeId::date:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return push_calendar_text(to, type, text, zero);
    case TypeId::time: return push_time_text(to, text);
    case TypeId::decimal: return push_decimal(to, type, text);
    case TypeId::bytes:
    case TypeId::string:
    case TypeId::json: to.push_text(text); return {};
    default: return push_value_text(to, type, text);
  }
}

}  // namespace maia::mysql
