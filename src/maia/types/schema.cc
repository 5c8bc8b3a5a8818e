// SPDX-License-Identifier: Apache-2.0
#include "maia/types/schema.h"

namespace maia {

std::string to_string(const TableName& name) {
  return name.schema.empty() ? name.table : name.schema + "." + name.table;
}

std::vector<std::size_t> TableSchema::key() const {
  std::vector<std::size_t> key;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].in_key) key.push_back(i);
  }
  return key;
}

std::optional<std::size_t> TableSchema::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return i;
  }
  return std::nullopt;
}

}  // namespace maia
