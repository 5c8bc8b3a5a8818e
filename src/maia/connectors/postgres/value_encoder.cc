// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/value_encoder.h"

#include <array>
#include <concepts>
#include <cstring>

#include "maia/connectors/postgres/destination_types.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/types/decimal.h"

namespace maia::postgres {
namespace {

template <std::integral T>
void append_number(std::string& out, T value) {
  auto bits = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof(T) == 2) bits = __builtin_bswap16(bits);
  if constexpr (sizeof(T) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(T) == 8) bits = __builtin_bswap64(bits);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &bits, sizeof(T));
  out.append(bytes, sizeof(T));
}

/// Integers, and floats by their bits.
template <std::integral T>
bool number(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  append_number(out, column.fixed<T>(row));
  return true;
}

bool boolean(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  out += static_cast<char>(column.fixed<std::uint8_t>(row));
  return true;
}

bool bytes(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  out += column.text(row);
  return true;
}

/// The server stores no zero byte in a text.
bool characters(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  const auto text = column.text(row);
  out += text;
  return text.find('\0') == text.npos;
}

bool jsonb(std::string& out, const Type& type, const ColumnVector& column, std::size_t row) {
  out += '\1';
  return characters(out, type, column, row);
}

bool date(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  auto days = column.fixed<std::int32_t>(row);
  if (days != INT32_MAX && days != INT32_MIN && __builtin_sub_overflow(days, kEpochDays, &days)) return false;
  append_number(out, days);
  return true;
}

bool timestamp(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  auto micros = column.fixed<std::int64_t>(row);
  if (micros != INT64_MAX && micros != INT64_MIN && __builtin_sub_overflow(micros, kEpochMicros, &micros)) {
    return false;
  }
  append_number(out, micros);
  return true;
}

bool interval(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  const auto value = column.fixed<Interval>(row);
  append_number(out, value.micros);
  append_number(out, value.days);
  append_number(out, value.months);
  return true;
}

bool uuid(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  const auto value = column.fixed<Uuid>(row);
  out.append(reinterpret_cast<const char*>(value.bytes), sizeof value.bytes);
  return true;
}

// A numeric is four 16-bit numbers (count of digits, weight of the first, sign, digits shown after the point)
// and then digits to the base 10,000, the first worth 10,000^weight.
enum NumericSign : std::uint16_t {
  kPlus = 0x0000,
  kMinus = 0x4000,
  kNaN = 0xC000,
  kPlusInfinity = 0xD000,
  kMinusInfinity = 0xF000
};

void append_numeric_head(std::string& out, std::size_t count, int weight, NumericSign sign,
                         std::size_t scale) {
  append_number(out, static_cast<std::int16_t>(count));
  append_number(out, static_cast<std::int16_t>(weight));
  append_number(out, static_cast<std::uint16_t>(sign));
  append_number(out, static_cast<std::int16_t>(scale));
}

bool append_special(std::string& out, NumericSign sign) {
  append_numeric_head(out, 0, 0, sign, 0);
  return true;
}

bool numeric_scaled(std::string& out, const Type& type, const ColumnVector& column, std::size_t row) {
  const auto value = column.fixed<int128>(row);
  if (value == kDecimalNaN) return append_special(out, kNaN);
  if (value == kDecimalPlusInfinity) return append_special(out, kPlusInfinity);
  if (value == kDecimalMinusInfinity) return append_special(out, kMinusInfinity);
  auto rest = value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);
  // The lowest base-10,000 digit begins at a multiple of four places behind the point.
  static constexpr std::uint16_t kRaise[] = {1, 1'000, 100, 10};
  static constexpr std::uint16_t kCut[] = {10'000, 10, 100, 1'000};
  const unsigned over = type.scale % 4;
  std::array<std::uint16_t, 12> digits{};
  std::size_t count = 0;
  if (over != 0) {
    digits[count++] = static_cast<std::uint16_t>(static_cast<unsigned>(rest % kCut[over]) * kRaise[over]);
    rest /= kCut[over];
  }
  for (; rest > 0; rest /= 10'000) digits[count++] = static_cast<std::uint16_t>(rest % 10'000);
  const int weight = static_cast<int>(count) - static_cast<int>((type.scale + 3u) / 4) - 1;
  std::size_t last = 0;
  while (last < count && digits[last] == 0) ++last;
  append_numeric_head(out, count - last, last == count ? 0 : weight, value < 0 ? kMinus : kPlus, type.scale);
  for (std::size_t i = count; i > last; --i) append_number(out, digits[i - 1]);
  return true;
}

bool numeric_text(std::string& out, const Type&, const ColumnVector& column, std::size_t row) {
  constexpr std::size_t kMaxWhole = 131'072;
  constexpr std::size_t kMaxFraction = 16'383;
  auto text = column.text(row);
  if (text == "NaN") return append_special(out, kNaN);
  if (text == "Infinity") return append_special(out, kPlusInfinity);
  if (text == "-Infinity") return append_special(out, kMinusInfinity);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  auto whole = text.substr(0, point);
  const auto fraction = point == text.npos ? std::string_view{} : text.substr(point + 1);
  while (whole.starts_with('0')) whole.remove_prefix(1);
  if (whole.size() > kMaxWhole || fraction.size() > kMaxFraction) return false;
  const auto head = out.size();
  append_numeric_head(out, 0, 0, kPlus, 0);
  const auto whole_groups = static_cast<int>((whole.size() + 3) / 4);
  const auto groups = whole_groups + static_cast<int>((fraction.size() + 3) / 4);
  const auto lead = static_cast<std::size_t>(whole_groups) * 4 - whole.size();
  int first = groups;
  int count = 0;
  for (int group = 0; group < groups; ++group) {
    unsigned digit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto place = static_cast<std::size_t>(group) * 4 + i;
      char c = '0';
      if (group < whole_groups) {
        if (place >= lead) c = whole[place - lead];
      } else if (const auto at = place - static_cast<std::size_t>(whole_groups) * 4; at < fraction.size()) {
        c = fraction[at];
      }
      if (c < '0' || c > '9') return false;
      digit = digit * 10 + static_cast<unsigned>(c - '0');
    }
    if (digit == 0 && first == groups) continue;
    if (first == groups) first = group;
    append_number(out, static_cast<std::uint16_t>(digit));
    if (digit != 0) count = group - first + 1;
  }
  out.resize(head + 8 + static_cast<std::size_t>(count) * 2);
  std::string start;
  append_numeric_head(start, static_cast<std::size_t>(count), count == 0 ? 0 : whole_groups - 1 - first,
                      negative && count > 0 ? kMinus : kPlus, fraction.size());
  out.replace(head, 8, start);
  return true;
}

BinaryEncoder encoder_of(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return boolean;
    case TypeId::int16: return number<std::int16_t>;
    case TypeId::int32:
    case TypeId::float32: return number<std::int32_t>;
    case TypeId::int64:
    case TypeId::float64:
    case TypeId::time: return number<std::int64_t>;
    case TypeId::decimal: return type.precision == 0 ? numeric_text : numeric_scaled;
    case TypeId::string:
      // Types with a form of their own have a binary form of their own.
      return type.form.empty() || type.form == "bpchar" ? characters : nullptr;
    case TypeId::bytes: return bytes;
    case TypeId::date: return date;
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return timestamp;
    case TypeId::interval: return interval;
    case TypeId::uuid: return uuid;
    case TypeId::json: return type.form == "jsonb" ? jsonb : characters;
    case TypeId::array: return nullptr;
  }
  return nullptr;
}

}  // namespace

BinaryEncoder binary_encoder(const Type& type, std::string_view column_type) {
  if (physical(type) == Physical::varlen && type.id == TypeId::string && column_type == "text")
    return characters;
  return stored_type(type, {}).name == column_type ? encoder_of(type) : nullptr;
}

}  // namespace maia::postgres
