// SPDX-License-Identifier: Apache-2.0
#include "row.h"

#include <algorithm>

#include "maia/types/decimal.h"

namespace maia::simulation {

std::string in_words(const Row& row) {
  std::string words = "(";
  for (const auto& value : row) {
    if (words.size() > 1) words += ", ";
    if (const auto* number = std::get_if<std::int64_t>(&value)) words += std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value)) {
      words += "'" + (text->size() > 12 ? text->substr(0, 12) + "..." : *text) + "'";
    }
    if (std::holds_alternative<std::monostate>(value)) words += "null";
  }
  return words + ")";
}

Row key_of(const TableSchema& schema, const Row& row) {
  Row key;
  for (const auto column : schema.key()) key.push_back(row[column]);
  return key;
}

std::string to_text(const Value& value, const Type& type) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr) return "";
  if (type.id != TypeId::decimal) return std::to_string(*number);
  const auto cents = std::to_string(1000 + *number % 100).substr(2);
  return std::to_string(*number / 100) + "." + cents;
}

Value from_text(const std::string& text, const Type& type) {
  if (type.id == TypeId::string) return text;
  const auto number = static_cast<std::int64_t>(std::stoll(text));
  if (type.id != TypeId::decimal) return number;
  const auto point = text.find('.');
  return number * 100 +
         (point == text.npos ? 0 : static_cast<std::int64_t>(std::stoll(text.substr(point + 1))));
}

Value converted(const Value& value, const Type& from, const Type& to) {
  if (std::holds_alternative<std::monostate>(value) || from == to) return value;
  return from_text(to_text(value, from), to);
}

void push(ColumnVector& column, const Type& type, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return column.push_null();
  if (const auto* text = std::get_if<std::string>(&value)) return column.push_text(*text);
  const auto number = std::get<std::int64_t>(value);
  if (type.id == TypeId::int32) return column.push_fixed(static_cast<std::int32_t>(number));
  if (type.id == TypeId::decimal) return column.push_fixed(static_cast<int128>(number));
  column.push_fixed(number);
}

std::optional<Value> value_at(const ColumnVector& column, const Type& type, std::size_t row) {
  switch (column.presence(row)) {
    case Presence::unchanged: return std::nullopt;
    case Presence::null: return Value();
    case Presence::value: break;
  }
  if (column.physical() == Physical::varlen) return Value(std::string(column.text(row)));
  if (type.id == TypeId::int32) return Value(std::int64_t{column.fixed<std::int32_t>(row)});
  if (type.id == TypeId::decimal) return Value(static_cast<std::int64_t>(column.fixed<int128>(row)));
  return Value(column.fixed<std::int64_t>(row));
}

std::vector<Row> reshaped(const std::vector<Row>& rows, const TableSchema& from, const TableSchema& to,
                          const std::vector<std::pair<std::string, Value>>& fill) {
  std::vector<Row> result;
  for (const auto& row : rows) {
    Row next;
    for (const auto& column : to.columns) {
      const auto old = std::find_if(from.columns.begin(), from.columns.end(),
                                    [&](const Column& each) { return each.id == column.id; });
      if (old != from.columns.end()) {
        const auto at = static_cast<std::size_t>(old - from.columns.begin());
        next.push_back(converted(row[at], old->type, column.type));
        continue;
      }
      const auto filled =
          std::find_if(fill.begin(), fill.end(), [&](const auto& each) { return each.first == column.name; });
      next.push_back(filled == fill.end() ? Value() : filled->second);
    }
    result.push_back(std::move(next));
  }
  return result;
}

std::vector<Row> sorted(std::vector<Row> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace maia::simulation
