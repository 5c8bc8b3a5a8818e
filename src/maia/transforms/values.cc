// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/values.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "maia/types/decimal.h"

namespace maia::transforms {
namespace {

constexpr unsigned kMaxDigits = 38;
constexpr unsigned kMaxDigits16 = 4;
constexpr unsigned kMaxDigits32 = 9;
constexpr unsigned kMaxDigits64 = 18;

/// DECIMAL's digits for a bounded decimal; 0 if it does not fit. A scale above the precision needs the digits
/// between.
unsigned decimal_width(const Type& type) {
  const unsigned width = std::max<unsigned>(type.precision, type.scale);
  return type.precision > 0 && width <= kMaxDigits ? width : 0;
}

duckdb_type simple_type(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return DUCKDB_TYPE_BOOLEAN;
    case TypeId::int16: return DUCKDB_TYPE_SMALLINT;
    case TypeId::int32: return DUCKDB_TYPE_INTEGER;
    case TypeId::int64: return DUCKDB_TYPE_BIGINT;
    case TypeId::float32: return DUCKDB_TYPE_FLOAT;
    case TypeId::float64: return DUCKDB_TYPE_DOUBLE;
    case TypeId::date: return DUCKDB_TYPE_DATE;
    case TypeId::time: return DUCKDB_TYPE_TIME;
    case TypeId::timestamp: return DUCKDB_TYPE_TIMESTAMP;
    case TypeId::timestamp_tz: return DUCKDB_TYPE_TIMESTAMP_TZ;
    case TypeId::interval: return DUCKDB_TYPE_INTERVAL;
    case TypeId::uuid: return DUCKDB_TYPE_UUID;
    case TypeId::bytes: return DUCKDB_TYPE_BLOB;
    case TypeId::decimal: return decimal_width(type) > 0 ? DUCKDB_TYPE_DECIMAL : DUCKDB_TYPE_VARCHAR;
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: return DUCKDB_TYPE_VARCHAR;
  }
  return DUCKDB_TYPE_VARCHAR;
}

template <class T>
T* slot(duckdb_vector vector, idx_t at) {
  return static_cast<T*>(duckdb_vector_get_data(vector)) + at;
}

duckdb_hugeint to_huge(int128 value) {
  const auto bits = static_cast<uint128>(value);
  return {static_cast<std::uint64_t>(bits),
          static_cast<std::int64_t>(static_cast<std::uint64_t>(bits >> 64))};
}
int128 from_huge(duckdb_hugeint value) {
  const auto upper = static_cast<uint128>(static_cast<std::uint64_t>(value.upper)) << 64;
  return static_cast<int128>(upper | value.lower);
}

std::optional<std::string> put_decimal(duckdb_vector vector, idx_t at, unsigned width, int128 value) {
  if (value == kDecimalNaN || value == kDecimalPlusInfinity || value == kDecimalMinusInfinity) {
    return "NaN and infinity cannot be used in an expression";
  }
  if (width <= kMaxDigits16) {
    *slot<std::int16_t>(vector, at) = static_cast<std::int16_t>(value);
  } else if (width <= kMaxDigits32) {
    *slot<std::int32_t>(vector, at) = static_cast<std::int32_t>(value);
  } else if (width <= kMaxDigits64) {
    *slot<std::int64_t>(vector, at) = static_cast<std::int64_t>(value);
  } else {
    *slot<duckdb_hugeint>(vector, at) = to_huge(value);
  }
  return {};
}

int128 take_decimal(duckdb_vector vector, idx_t at, unsigned width) {
  if (width <= kMaxDigits16) return *slot<std::int16_t>(vector, at);
  if (width <= kMaxDigits32) return *slot<std::int32_t>(vector, at);
  if (width <= kMaxDigits64) return *slot<std::int64_t>(vector, at);
  return from_huge(*slot<duckdb_hugeint>(vector, at));
}

/// DuckDB's negative infinity is one above ours, which is the smallest number.
template <class T>
T infinity_to_duckdb(T value) {
  return value == std::numeric_limits<T>::min() ? -std::numeric_limits<T>::max() : value;
}
template <class T>
T infinity_from_duckdb(T value) {
  return value == -std::numeric_limits<T>::max() ? std::numeric_limits<T>::min() : value;
}

/// A UUID is kept by DuckDB as a number with its first bit turned round, so that numbers sort as texts do.
duckdb_hugeint uuid_to_duckdb(const Uuid& uuid) {
  uint128 bits = 0;
  for (const auto byte : uuid.bytes) bits = bits << 8 | byte;
  return to_huge(static_cast<int128>(bits ^ (uint128{1} << 127)));
}
Uuid uuid_from_duckdb(duckdb_hugeint value) {
  auto bits = static_cast<uint128>(from_huge(value)) ^ (uint128{1} << 127);
  Uuid uuid;
  for (std::size_t i = sizeof uuid.bytes; i-- > 0; bits >>= 8)
    uuid.bytes[i] = static_cast<std::uint8_t>(bits);
  return uuid;
}

std::string_view text_at(duckdb_vector vector, idx_t at) {
  auto* text = slot<duckdb_string_t>(vector, at);
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

Result<ResultType> refused(std::string_view what) {
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("a column cannot have the type {}", what),
               "cast it to another, such as expression::text"};
}

}  // namespace

LogicalTypeHandle logical_type(const Type& type) {
  const auto simple = simple_type(type);
  if (simple == DUCKDB_TYPE_DECIMAL) {
    const auto width = static_cast<std::uint8_t>(decimal_width(type));
    return LogicalTypeHandle(duckdb_create_decimal_type(width, static_cast<std::uint8_t>(type.scale)));
  }
  LogicalTypeHandle logical(duckdb_create_logical_type(simple));
  if (type.id == TypeId::json) duckdb_logical_type_set_alias(logical.get(), "JSON");
  return logical;
}

Result<ResultType> result_type(duckdb_logical_type type) {
  const auto plain = [](TypeId id) { return ResultType{Type::of(id), ""}; };
  const auto cast = [](Type to, std::string sql) { return ResultType{std::move(to), std::move(sql)}; };
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN: return plain(TypeId::boolean);
    case DUCKDB_TYPE_SMALLINT: return plain(TypeId::int16);
    case DUCKDB_TYPE_INTEGER: return plain(TypeId::int32);
    case DUCKDB_TYPE_BIGINT: return plain(TypeId::int64);
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_UTINYINT: return cast(Type::of(TypeId::int16), "SMALLINT");
    case DUCKDB_TYPE_USMALLINT: return cast(Type::of(TypeId::int32), "INTEGER");
    case DUCKDB_TYPE_UINTEGER: return cast(Type::of(TypeId::int64), "BIGINT");
    case DUCKDB_TYPE_UBIGINT: return cast(Type::decimal(20, 0), "DECIMAL(20,0)");
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT: return cast(Type::decimal(38, 0), "DECIMAL(38,0)");
    case DUCKDB_TYPE_FLOAT: return plain(TypeId::float32);
    case DUCKDB_TYPE_DOUBLE: return plain(TypeId::float64);
    case DUCKDB_TYPE_DECIMAL:
      return ResultType{Type::decimal(duckdb_decimal_width(type), duckdb_decimal_scale(type)), ""};
    case DUCKDB_TYPE_DATE: return plain(TypeId::date);
    case DUCKDB_TYPE_TIME: return plain(TypeId::time);
    case DUCKDB_TYPE_TIME_NS: return cast(Type::of(TypeId::time), "TIME");
    case DUCKDB_TYPE_TIME_TZ: return cast(Type::text("timetz"), "VARCHAR");
    case DUCKDB_TYPE_TIMESTAMP: return plain(TypeId::timestamp);
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS: return cast(Type::of(TypeId::timestamp), "TIMESTAMP");
    case DUCKDB_TYPE_TIMESTAMP_TZ: return plain(TypeId::timestamp_tz);
    case DUCKDB_TYPE_INTERVAL: return plain(TypeId::interval);
    case DUCKDB_TYPE_UUID: return plain(TypeId::uuid);
    case DUCKDB_TYPE_BLOB: return plain(TypeId::bytes);
    case DUCKDB_TYPE_BIT: return cast(Type::text("varbit"), "VARCHAR");
    case DUCKDB_TYPE_ENUM: return cast(Type::text(), "VARCHAR");
    case DUCKDB_TYPE_VARCHAR: {
      char* alias = duckdb_logical_type_get_alias(type);
      const bool json = alias != nullptr && std::string_view(alias) == "JSON";
      duckdb_free(alias);
      return plain(json ? TypeId::json : TypeId::string);
    }
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP: return cast(Type::of(TypeId::json), "to_json");
    case DUCKDB_TYPE_UNION: return refused("UNION");
    default: return refused("that this expression has");
  }
}

void put_null(duckdb_vector vector, idx_t at) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), at);
}

std::optional<std::string> put_value(duckdb_vector vector, idx_t at, const Type& type,
                                     const ColumnVector& column, std::size_t row) {
  if (!column.has_value(row)) {
    put_null(vector, at);
    return {};
  }
  switch (column.physical()) {
    case Physical::u8: *slot<std::uint8_t>(vector, at) = column.fixed<std::uint8_t>(row); return {};
    case Physical::i16: *slot<std::int16_t>(vector, at) = column.fixed<std::int16_t>(row); return {};
    case Physical::i32: {
      const auto value = column.fixed<std::int32_t>(row);
      *slot<std::int32_t>(vector, at) = type.id == TypeId::date ? infinity_to_duckdb(value) : value;
      return {};
    }
    case Physical::i64: {
      const auto value = column.fixed<std::int64_t>(row);
      const bool instant = type.id == TypeId::timestamp || type.id == TypeId::timestamp_tz;
      *slot<std::int64_t>(vector, at) = instant ? infinity_to_duckdb(value) : value;
      return {};
    }
    case Physical::f32: *slot<float>(vector, at) = column.fixed<float>(row); return {};
    case Physical::f64: *slot<double>(vector, at) = column.fixed<double>(row); return {};
    case Physical::interval: *slot<Interval>(vector, at) = column.fixed<Interval>(row); return {};
    case Physical::uuid:
      *slot<duckdb_hugeint>(vector, at) = uuid_to_duckdb(column.fixed<Uuid>(row));
      return {};
    case Physical::i128: return put_decimal(vector, at, decimal_width(type), column.fixed<int128>(row));
    case Physical::varlen: {
      const auto text = column.text(row);
      if (type.id != TypeId::bytes && !simdjson::validate_utf8(text.data(), text.size())) {
        return "text that is not valid UTF-8 cannot be used in an expression";
      }
      duckdb_vector_assign_string_element_len(vector, at, text.data(), text.size());
      return {};
    }
  }
  return {};
}

void take_values(duckdb_vector vector, idx_t rows, const Type& type, ColumnVector& out) {
  auto* validity = duckdb_vector_get_validity(vector);
  for (idx_t at = 0; at < rows; ++at) {
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, at)) {
      out.push_null();
      continue;
    }
    switch (out.physical()) {
      case Physical::u8: out.push_fixed(*slot<std::uint8_t>(vector, at)); break;
      case Physical::i16: out.push_fixed(*slot<std::int16_t>(vector, at)); break;
      case Physical::i32: {
        const auto value = *slot<std::int32_t>(vector, at);
        out.push_fixed(type.id == TypeId::date ? infinity_from_duckdb(value) : value);
        break;
      }
      case Physical::i64: {
        const auto value = *slot<std::int64_t>(vector, at);
        const bool instant = type.id == TypeId::timestamp || type.id == TypeId::timestamp_tz;
        out.push_fixed(instant ? infinity_from_duckdb(value) : value);
        break;
      }
      case Physical::f32: out.push_fixed(*slot<float>(vector, at)); break;
      case Physical::f64: out.push_fixed(*slot<double>(vector, at)); break;
      case Physical::interval: out.push_fixed(*slot<Interval>(vector, at)); break;
      case Physical::uuid: out.push_fixed(uuid_from_duckdb(*slot<duckdb_hugeint>(vector, at))); break;
      case Physical::i128: out.push_fixed(take_decimal(vector, at, type.precision)); break;
      case Physical::varlen: out.push_text(text_at(vector, at)); break;
    }
  }
}

}  // namespace maia::transforms
