// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/schema_pool.h"

#include <algorithm>

namespace maia::journal {

SchemaRef SchemaPool::intern(TableSchema schema) {
  const std::lock_guard lock(mutex_);
  auto& same_name = schemas_[schema.name];
  for (const auto& known : same_name) {
    if (*known == schema) return known;
  }
  return same_name.emplace_back(std::make_shared<const TableSchema>(std::move(schema)));
}

void SchemaPool::add(const SchemaRef& schema) {
  const std::lock_guard lock(mutex_);
  auto& same_name = schemas_[schema->name];
  const auto found = std::find_if(same_name.begin(), same_name.end(),
                                  [&](const auto& known) { return known == schema || *known == *schema; });
  if (found == same_name.end()) same_name.push_back(schema);
}

}  // namespace maia::journal
