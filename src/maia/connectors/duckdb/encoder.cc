// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/encoder.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <limits>

#include "maia/connectors/duckdb/array_literal.h"
#include "maia/types/decimal.h"
#include "maia/types/value_text.h"

namespace maia::duckdb {
namespace {

constexpr std::int64_t kMicrosOfDay = 86'400'000'000;
/// The first instant of a TIMESTAMP: 290309-12-22 (BC) 00:00:00.
constexpr std::int64_t kFirstTimestamp = -9'223'372'022'400'000'000;

Error refused(std::string why, std::string hint = {}) {
  return {Error::Code::data, Recovery::halt, std::move(why), std::move(hint)};
}

template <class T>
T* data_of(duckdb_vector vector) {
  return static_cast<T*>(duckdb_vector_get_data(vector));
}

void set_null(duckdb_vector vector, std::size_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

/// NULLs of the vector. Fixed-width values that are absent are zero in our columns, so the values can be
/// moved whole.
Status mark_nulls(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (column.has_value(first + i)) continue;
    if (column.presence(first + i) == Presence::unchanged) {
      return Error{Error::Code::internal, Recovery::halt, "a row that must be whole lacks a value", {}};
    }
    set_null(vector, i);
  }
  return {};
}

/// DuckDB's minus infinity is one above ours, which is its smallest number.
template <class T>
Status move_infinity(T& value) {
  constexpr auto kMinusInfinity = std::numeric_limits<T>::min();
  if (value == kMinusInfinity + 1) return refused("the date is before the first one that DuckDB has");
  if (value == kMinusInfinity) value = kMinusInfinity + 1;
  return {};
}

Status check_time(std::int64_t value) {
  if (value >= 0 && value <= kMicrosOfDay) return {};
  return refused("the time is not between 00:00:00 and 24:00:00");
}

Status check_timestamp(std::int64_t& value) {
  MAIA_TRY(move_infinity(value));
  if (value >= kFirstTimestamp || value == -std::numeric_limits<std::int64_t>::max()) return {};
  return refused("the timestamp is before the first one that DuckDB has");
}

Status check_interval(const Interval& value) {
  constexpr Interval kPlus{INT32_MAX, INT32_MAX, INT64_MAX};
  constexpr Interval kMinus{INT32_MIN, INT32_MIN, INT64_MIN};
  if (value != kPlus && value != kMinus) return {};
  return refused("DuckDB's INTERVAL has no infinity",
                 "Leave such rows out, or the column, with a transform.");
}

template <class T, class Check>
Status check_each(duckdb_vector vector, const ColumnVector& column, std::size_t first, std::size_t count,
                  Check check) {
  auto* values = data_of<T>(vector);
  for (std::size_t i = 0; i < count; ++i) {
    if (column.has_value(first + i)) MAIA_TRY(check(values[i]));
  }
  return {};
}

int128 power_of_ten(unsigned exponent) {
  int128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

}  // namespace

ColumnEncoder::ColumnEncoder(const Type& type, const Config& config)
    : type_(type), stored_(stored_type(type, config)), special_numerics_(config.special_numerics) {
  if (stored_.storage != Storage::list) return;
  element_ = std::make_unique<ColumnEncoder>(*type.element, config);
  elements_ = ColumnVector(physical(*type.element));
}

Status ColumnEncoder::fill(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                           std::size_t count) {
  if (count == 0) return {};
  MAIA_TRY(mark_nulls(vector, column, first, count));
  switch (stored_.storage) {
    case Storage::same: return fill_same(vector, column, first, count);
    case Storage::decimal: return fill_decimal(vector, column, first, count);
    case Storage::list: return fill_list(vector, column, first, count);
    case Storage::text:
    case Storage::bytes: return fill_text(vector, column, first, count);
    case Storage::uuid:
      for (std::size_t i = 0; i < count; ++i) {
        const auto uuid = column.has_value(first + i) ? column.fixed<Uuid>(first + i) : Uuid{};
        uint128 number = 0;
        for (const auto byte : uuid.bytes) number = number << 8 | byte;
        data_of<uint128>(vector)[i] = number ^ (uint128{1} << 127);
      }
      return {};
    case Storage::number:
      for (std::size_t i = 0; i < count; ++i) {
        if (!column.has_value(first + i)) continue;
        ColumnVector number(Physical::f64);
        MAIA_TRY(push_value_text(number, Type::of(TypeId::float64), column.text(first + i)));
        data_of<double>(vector)[i] = number.fixed<double>(0);
      }
      return {};
  }
  return {};
}

Status ColumnEncoder::fill_same(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                                std::size_t count) {
  const auto size = width(column.physical());
  std::memcpy(duckdb_vector_get_data(vector), column.fixed_bytes().data() + first * size, count * size);
  switch (type_.id) {
    case TypeId::date:
      return check_each<std::int32_t>(vector, column, first, count, move_infinity<std::int32_t>);
    case TypeId::time: return check_each<std::int64_t>(vector, column, first, count, check_time);
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return check_each<std::int64_t>(vector, column, first, count, check_timestamp);
    case TypeId::interval: return check_each<Interval>(vector, column, first, count, check_interval);
    default: return {};
  }
}

Status ColumnEncoder::fill_decimal(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                                   std::size_t count) {
  if (stored_.width <= 4) return fill_integers<std::int16_t>(vector, column, first, count);
  if (stored_.width <= 9) return fill_integers<std::int32_t>(vector, column, first, count);
  if (stored_.width <= 18) return fill_integers<std::int64_t>(vector, column, first, count);
  return fill_integers<int128>(vector, column, first, count);
}

template <class T>
Status ColumnEncoder::fill_integers(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                                    std::size_t count) {
  auto* values = data_of<T>(vector);
  const auto limit = power_of_ten(stored_.width);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = column.fixed<int128>(first + i);
    if (value < limit && value > -limit) [[likely]] {
      values[i] = static_cast<T>(value);
      continue;
    }
    const bool special =
        value == kDecimalNaN || value == kDecimalPlusInfinity || value == kDecimalMinusInfinity;
    if (!special) return refused(fmt::format("a number does not fit into {}", stored_.sql));
    if (special_numerics_ == SpecialNumerics::refuse) {
      return refused(
          fmt::format("DuckDB's {} has no NaN and no infinity", stored_.sql),
          "Write special_numerics: null to store NULL instead, or change the value with a transform.");
    }
    values[i] = 0;
    set_null(vector, i);
  }
  return {};
}

Status ColumnEncoder::fill_text(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!column.has_value(first + i)) continue;
    const auto text = column.text(first + i);
    // DuckDB would store NULL for it and say nothing.
    if (stored_.storage == Storage::text && !simdjson::validate_utf8(text.data(), text.size())) {
      return refused("a text is not valid UTF-8");
    }
    duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
  }
  return {};
}

Status ColumnEncoder::fill_list(duckdb_vector vector, const ColumnVector& column, std::size_t first,
                                std::size_t count) {
  elements_.clear();
  auto* entries = data_of<duckdb_list_entry>(vector);
  for (std::size_t i = 0; i < count; ++i) {
    entries[i] = {elements_.size(), 0};
    if (!column.has_value(first + i)) continue;
    ArrayLiteral literal(column.text(first + i), type_.element->form == "box" ? ';' : ',');
    while (literal.next()) {
      if (literal.is_null()) {
        elements_.push_null();
      } else {
        MAIA_TRY(push_value_text(elements_, *type_.element, literal.element()));
      }
    }
    if (literal.shape() == ArrayLiteral::Shape::malformed) return refused("a text is no array literal");
    if (literal.shape() == ArrayLiteral::Shape::other) {
      return refused(
          "an array has several dimensions, or a lower bound that is not 1, which a LIST cannot hold",
          "Write arrays: text for the DuckDB destination, or change the value with a transform.");
    }
    entries[i].length = elements_.size() - entries[i].offset;
  }
  duckdb_list_vector_reserve(vector, elements_.size());
  duckdb_list_vector_set_size(vector, elements_.size());
  return element_->fill(duckdb_list_vector_get_child(vector), elements_, 0, elements_.size());
}

}  // namespace maia::duckdb
