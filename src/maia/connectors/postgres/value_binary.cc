// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/value_binary.h"

#include <bit>
#include <limits>

#include "maia/connectors/postgres/array_binary.h"
#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/numeric_binary.h"
#include "maia/connectors/postgres/printed_binary.h"
#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

using Outcome = ValueDecoder::Outcome;
using Bytes = std::span<const std::byte>;

constexpr std::int64_t kDayMicros = 86'400'000'000;

template <std::integral T>
bool read(Bytes bytes, T& value) {
  if (bytes.size() != sizeof(T)) [[unlikely]]
    return false;
  value = load<T>(as_chars(bytes).data());
  return true;
}

Outcome boolean(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  std::uint8_t value = 0;
  if (!read(bytes, value) || value > 1) return Outcome::malformed;
  column.push_fixed(value);
  return Outcome::ok;
}

template <std::integral Wire, std::integral Held = Wire>
Outcome integer(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  Wire value = 0;
  if (!read(bytes, value)) return Outcome::malformed;
  column.push_fixed(static_cast<Held>(value));
  return Outcome::ok;
}

template <std::integral Wire, std::floating_point Held>
Outcome floating(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  Wire value = 0;
  if (!read(bytes, value)) return Outcome::malformed;
  auto number = std::bit_cast<Held>(value);
  // The text form has one NaN only; its sign and payload are not told.
  if (number != number) number = std::numeric_limits<Held>::quiet_NaN();
  column.push_fixed(number);
  return Outcome::ok;
}

Outcome unsigned64_decimal(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  std::uint64_t value = 0;
  if (!read(bytes, value)) return Outcome::malformed;
  column.push_fixed(static_cast<int128>(value));
  return Outcome::ok;
}

Outcome decimal(ColumnVector& column, const ValueDecoder& decoder, Bytes bytes) {
  const auto numeric = NumericBinary::read(as_chars(bytes));
  if (!numeric) return Outcome::malformed;
  const auto value = numeric->scaled(decoder.type().scale);
  if (!value) return Outcome::out_of_range;
  column.push_fixed(*value);
  return Outcome::ok;
}

Outcome unbounded_decimal(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  const auto numeric = NumericBinary::read(as_chars(bytes));
  if (!numeric) return Outcome::malformed;
  thread_local std::string text;
  text.clear();
  numeric->append_text(text);
  column.push_text(text);
  return Outcome::ok;
}

Outcome same(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  column.push_text(as_chars(bytes));
  return Outcome::ok;
}

Outcome jsonb(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  constexpr char kVersion = 1;
  const auto chars = as_chars(bytes);
  if (chars.empty() || chars[0] != kVersion) return Outcome::malformed;
  column.push_text(chars.substr(1));
  return Outcome::ok;
}

Outcome date(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  std::int32_t days = 0;
  if (!read(bytes, days)) return Outcome::malformed;
  if (days != INT32_MAX && days != INT32_MIN) {
    if (__builtin_add_overflow(days, kEpochDays, &days) || days == INT32_MAX) return Outcome::out_of_range;
  }
  column.push_fixed(days);
  return Outcome::ok;
}

Outcome time(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  std::int64_t micros = 0;
  if (!read(bytes, micros) || micros < 0 || micros > kDayMicros) return Outcome::malformed;
  column.push_fixed(micros);
  return Outcome::ok;
}

Outcome timestamp(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  std::int64_t micros = 0;
  if (!read(bytes, micros)) return Outcome::malformed;
  if (micros != INT64_MAX && micros != INT64_MIN) [[likely]] {
    if (__builtin_add_overflow(micros, kEpochMicros, &micros) || micros == INT64_MAX) {
      return Outcome::out_of_range;
    }
  }
  column.push_fixed(micros);
  return Outcome::ok;
}

Outcome interval(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  WireReader reader(as_chars(bytes));
  Interval value;
  value.micros = reader.number<std::int64_t>();
  value.days = reader.number<std::int32_t>();
  value.months = reader.number<std::int32_t>();
  if (reader.failed() || reader.remaining() != 0) return Outcome::malformed;
  column.push_fixed(value);
  return Outcome::ok;
}

Outcome uuid(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  Uuid value;
  if (bytes.size() != sizeof value.bytes) return Outcome::malformed;
  std::memcpy(value.bytes, bytes.data(), sizeof value.bytes);
  column.push_fixed(value);
  return Outcome::ok;
}

template <bool (*Print)(std::string_view, std::string&)>
Outcome printed(ColumnVector& column, const ValueDecoder&, Bytes bytes) {
  thread_local std::string text;
  text.clear();
  if (!Print(as_chars(bytes), text)) return Outcome::malformed;
  column.push_text(text);
  return Outcome::ok;
}

}  // namespace

ValueDecoder::BinaryFunction binary_function(const MappedType& mapped) {
  if (!mapped.has_binary) return nullptr;
  if (mapped.type.id == TypeId::array) return push_binary_array;
  switch (mapped.decoded_oid) {
    case oid::kBool: return boolean;
    case oid::kInt2: return integer<std::int16_t>;
    case oid::kInt4: return integer<std::int32_t>;
    case oid::kInt8: return integer<std::int64_t>;
    case oid::kOid:
    case oid::kXid:
    case oid::kCid: return integer<std::uint32_t, std::int64_t>;
    case oid::kXid8: return unsigned64_decimal;
    case oid::kFloat4: return floating<std::uint32_t, float>;
    case oid::kFloat8: return floating<std::uint64_t, double>;
    case oid::kNumeric: return mapped.type.precision == 0 ? unbounded_decimal : decimal;
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar:
    case oid::kName:
    case oid::kUnknown:
    case oid::kJson:
    case oid::kXml:
    case oid::kBytea: return same;
    case oid::kJsonb: return jsonb;
    case oid::kDate: return date;
    case oid::kTime: return time;
    case oid::kTimestamp:
    case oid::kTimestamptz: return timestamp;
    case oid::kInterval: return interval;
    case oid::kUuid: return uuid;
    case oid::kChar: return printed<print_char>;
    case oid::kMoney: return printed<print_money>;
    case oid::kTimetz: return printed<print_timetz>;
    case oid::kBit:
    case oid::kVarbit: return printed<print_bits>;
    case oid::kMacaddr:
    case oid::kMacaddr8: return printed<print_macaddr>;
    case oid::kInet:
    case oid::kCidr: return printed<print_inet>;
    default: return nullptr;  // find_builtin promises none but these; a test holds it to that
  }
}

}  // namespace maia::postgres
