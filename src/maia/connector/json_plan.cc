// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/json_plan.h"

namespace maia {
namespace {

ColumnMapping mapping(const Column& column) {
  const auto as = [&](std::string_view json, Fidelity fidelity, std::string_view note = {}) {
    return ColumnMapping{column.name, std::string(json), fidelity, std::string(note)};
  };
  switch (column.type.id) {
    case TypeId::boolean: return as("boolean", Fidelity::exact);
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::int64: return as("number", Fidelity::exact);
    case TypeId::float32:
    case TypeId::float64: return as("number", Fidelity::exact, "NaN and infinities are strings");
    case TypeId::string: return as("string", Fidelity::exact);
    case TypeId::bytes: return as("string", Fidelity::as_text, "base64");
    case TypeId::array:
      return as("array", Fidelity::exact, "with a lower bound other than 1: a string with the literal");
    case TypeId::decimal:
    case TypeId::date:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz:
    case TypeId::interval:
    case TypeId::uuid:
    case TypeId::json: return as("string", Fidelity::as_text);
  }
  return as("", Fidelity::unsupported);
}

}  // namespace

std::vector<ColumnMapping> json_plan(const TableSchema& schema) {
  std::vector<ColumnMapping> plan;
  for (const auto& column : schema.columns) plan.push_back(mapping(column));
  return plan;
}

}  // namespace maia
