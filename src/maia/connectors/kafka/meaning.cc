// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/meaning.h"

#include <algorithm>
#include <array>
#include <vector>

#include "maia/types/value_text.h"

namespace maia::kafka {
namespace {

/// How a value is written whose meaning is known.
enum class Written : std::uint8_t {
  itself,            ///< as the canonical type has it
  millis,            ///< a time or an instant, in thousandths of a second
  nanos,             ///< the same in billionths
  text,              ///< canonical text, or ISO 8601
  decimal,           ///< bytes of the number without its point
  variable_decimal,  ///< a record of the scale and such bytes
  micro_duration,    ///< an interval in microseconds
};

struct Known {
  std::string_view name;
  TypeId type;
  Written written;
};

// Names of Kafka Connect's and Debezium's schemas, and Avro's logical types.
constexpr Known kKnown[] = {
    {"org.apache.kafka.connect.data.Date", TypeId::date, Written::itself},
    {"org.apache.kafka.connect.data.Time", TypeId::time, Written::millis},
    {"org.apache.kafka.connect.data.Timestamp", TypeId::timestamp, Written::millis},
    {"org.apache.kafka.connect.data.Decimal", TypeId::decimal, Written::decimal},
    {"io.debezium.time.Date", TypeId::date, Written::itself},
    {"io.debezium.time.Time", TypeId::time, Written::millis},
    {"io.debezium.time.MicroTime", TypeId::time, Written::itself},
    {"io.debezium.time.NanoTime", TypeId::time, Written::nanos},
    {"io.debezium.time.Timestamp", TypeId::timestamp, Written::millis},
    {"io.debezium.time.MicroTimestamp", TypeId::timestamp, Written::itself},
    {"io.debezium.time.NanoTimestamp", TypeId::timestamp, Written::nanos},
    {"io.debezium.time.ZonedTimestamp", TypeId::timestamp_tz, Written::text},
    {"io.debezium.time.MicroDuration", TypeId::interval, Written::micro_duration},
    {"io.debezium.time.Interval", TypeId::interval, Written::text},
    {"io.debezium.data.Uuid", TypeId::uuid, Written::text},
    {"io.debezium.data.Json", TypeId::json, Written::text},
    {"io.debezium.data.VariableScaleDecimal", TypeId::decimal, Written::variable_decimal},
    {"date", TypeId::date, Written::itself},
    {"time-millis", TypeId::time, Written::millis},
    {"time-micros", TypeId::time, Written::itself},
    {"timestamp-millis", TypeId::timestamp_tz, Written::millis},
    {"timestamp-micros", TypeId::timestamp_tz, Written::itself},
    {"timestamp-nanos", TypeId::timestamp_tz, Written::nanos},
    {"local-timestamp-millis", TypeId::timestamp, Written::millis},
    {"local-timestamp-micros", TypeId::timestamp, Written::itself},
    {"local-timestamp-nanos", TypeId::timestamp, Written::nanos},
    {"uuid", TypeId::uuid, Written::text},
    {"decimal", TypeId::decimal, Written::decimal},
};

const Known* find(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                   [&](const Known& each) { return each.name == name; });
  return found == std::end(kKnown) ? nullptr : found;
}

Error does_not_fit(const Meaning& meaning) {
  return Error{Error::Code::data, Recovery::halt, "a value is no " + meaning.name};
}

std::int64_t floored(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

Type type_meant(const Type& written, const Meaning& meaning) {
  const auto* known = find(meaning.name);
  if (!known) return written;
  if (known->type != TypeId::decimal) return Type::of(known->type);
  const int precision = meaning.precision.value_or(0);
  const int scale = meaning.scale.value_or(0);
  const bool fits = known->written == Written::decimal && precision >= 1 && precision <= 38 && scale >= 0 &&
                    scale <= precision;
  return fits ? Type::decimal(static_cast<std::uint16_t>(precision), static_cast<std::uint16_t>(scale))
              : Type::decimal(0, 0);
}

Status give_meaning(Datum& datum, const Type& written, const Meaning& meaning) {
  datum.type = type_meant(written, meaning);
  const auto* known = find(meaning.name);
  if (!known || datum.is(Datum::Kind::null)) return {};
  switch (known->written) {
    case Written::itself:
      if (!datum.is(Datum::Kind::whole)) return does_not_fit(meaning);
      break;
    case Written::millis:
      if (!datum.is(Datum::Kind::whole) || __builtin_mul_overflow(datum.whole, 1000, &datum.whole))
        return does_not_fit(meaning);
      break;
    case Written::nanos:
      if (!datum.is(Datum::Kind::whole)) return does_not_fit(meaning);
      datum.whole = floored(datum.whole, 1000);
      break;
    case Written::text:
      if (!datum.is(Datum::Kind::text)) return does_not_fit(meaning);
      break;
    case Written::micro_duration: {
      if (!datum.is(Datum::Kind::whole)) return does_not_fit(meaning);
      ColumnVector column(Physical::interval);
      column.push_fixed(Interval{.months = 0, .days = 0, .micros = datum.whole});
      std::string text;
      append_value_text(text, *datum.type, column, 0);
      datum.kind = Datum::Kind::text;
      datum.text = std::move(text);
      return {};
    }
    case Written::decimal:
      if (!datum.is(Datum::Kind::text) || datum.text.size() > 4096) return does_not_fit(meaning);
      datum.text = decimal_text(datum.text, meaning.scale.value_or(0));
      break;
    case Written::variable_decimal: {
      const auto* scale = datum.find("scale");
      const auto* value = datum.find("value");
      const bool whole = scale && value && scale->is(Datum::Kind::whole) && value->is(Datum::Kind::text);
      if (!whole || scale->whole < -10'000 || scale->whole > 10'000 || value->text.size() > 4096)
        return does_not_fit(meaning);
      datum.text = decimal_text(value->text, static_cast<int>(scale->whole));
      datum.kind = Datum::Kind::text;
      datum.names.clear();
      datum.items.clear();
      break;
    }
  }
  // A value that its type does not have is told here, where its name is known.
  ColumnVector column(physical(*datum.type));
  return push(column, *datum.type, datum).ok() ? Status() : Status(does_not_fit(meaning));
}

std::optional<DeclaredType> declared_type(std::string_view text) {
  const auto* known = find(text);
  const bool counts = known && (known->written == Written::itself || known->written == Written::millis ||
                                known->written == Written::nanos);
  Meaning meaning{.name = counts ? std::string(text) : "", .scale = {}, .precision = {}};
  if (auto type = type_named(text)) return DeclaredType{*std::move(type), std::move(meaning)};
  return counts ? std::optional(DeclaredType{Type::of(known->type), std::move(meaning)}) : std::nullopt;
}

Status give_declared(Datum& datum, const DeclaredType& declared) {
  const bool has_meaning = datum.type && datum.type->id != TypeId::int32 && datum.type->id != TypeId::int64;
  if (declared.meaning.name.empty() || !datum.is(Datum::Kind::whole) || has_meaning) return {};
  return give_meaning(datum, Type::of(TypeId::int64), declared.meaning);
}

std::string decimal_text(std::string_view bytes, int scale) {
  std::vector<std::uint8_t> number(bytes.begin(), bytes.end());
  const bool negative = !number.empty() && (number[0] & 0x80) != 0;
  if (negative) {
    bool carry = true;
    for (auto byte = number.rbegin(); byte != number.rend(); ++byte) {
      *byte = static_cast<std::uint8_t>(~*byte + (carry ? 1 : 0));
      carry = carry && *byte == 0;
    }
  }
  std::string digits;  // the last one first
  for (std::size_t first = 0; first < number.size();) {
    unsigned rest = 0;
    for (auto i = first; i < number.size(); ++i) {
      const auto value = rest << 8 | number[i];
      number[i] = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    digits += static_cast<char>('0' + rest);
    while (first < number.size() && number[first] == 0) ++first;
  }
  if (scale < 0) digits.insert(0, static_cast<std::size_t>(-scale), '0');
  const auto fraction = static_cast<std::size_t>(std::max(scale, 0));
  while (digits.size() <= fraction) digits += '0';
  while (digits.size() > fraction + 1 && digits.back() == '0') digits.pop_back();
  std::string out(digits.rbegin(), digits.rend());
  if (fraction > 0) out.insert(out.size() - fraction, 1, '.');
  const bool zero = out.find_first_not_of("0.") == out.npos;
  return (negative && !zero ? "-" : "") + out;
}

}  // namespace maia::kafka
