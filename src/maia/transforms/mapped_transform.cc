// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/mapped_transform.h"

#include <algorithm>

#include "maia/transforms/bound_mapping.h"
#include "maia/transforms/script_binder.h"

namespace maia::transforms {
namespace {

bool matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  const auto rest = pattern.substr(star + 1);
  for (auto from = star; from <= name.size(); ++from) {
    if (matches(rest, name.substr(from))) return true;
  }
  return false;
}

}  // namespace

bool MappedTransform::applies_to(const TableSchema& schema) const {
  if (!tables_.empty()) {
    return std::any_of(tables_.begin(), tables_.end(), [&](const auto& pattern) {
      return matches(pattern, schema.name.table) || matches(pattern, to_string(schema.name));
    });
  }
  const bool sql = std::holds_alternative<SqlSelect>(source_);
  const auto& reads = sql ? std::get<SqlSelect>(source_).reads() : std::get<Script>(source_).reads();
  return std::all_of(reads.begin(), reads.end(), [&](const auto& name) {
    return std::any_of(schema.columns.begin(), schema.columns.end(), [&](const auto& column) {
      return column.name == name || (sql && same_word(column.name, name));
    });
  });
}

Result<std::unique_ptr<BoundTransform>> MappedTransform::bind(const SchemaRef& input) {
  const auto to_mapping = [&](const auto& source) { return source.bind(*input); };
  auto mapping = MAIA_TRY(std::visit(to_mapping, source_));
  return BoundMapping::prepare(sandbox_, std::move(mapping), input);
}

}  // namespace maia::transforms
