// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/prepared_statements.h"

#include <fmt/format.h>

namespace maia::postgres {

Status PreparedStatements::execute(StatementPipeline& pipeline, const WriteTarget& target,
                                   Statement statement, std::span<const std::size_t> columns,
                                   std::span<const char* const> values, std::size_t tag) {
  Key key{&target, statement, {columns.begin(), columns.end()}};
  auto known = names_.find(key);
  if (known == names_.end()) {
    const auto name = fmt::format("maia_{}", ++made_);
    MAIA_TRY(pipeline.prepare(name, target.sql(statement, columns)));
    known = names_.emplace(key, name).first;
    unconfirmed_.push_back(std::move(key));
  }
  return pipeline.execute(known->second, values, tag);
}

void PreparedStatements::failed() {
  for (const auto& key : unconfirmed_) names_.erase(key);
  unconfirmed_.clear();
}

void PreparedStatements::forget(const WriteTarget& target) {
  std::erase_if(names_, [&](const auto& entry) { return entry.first.target == &target; });
}

}  // namespace maia::postgres
