// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/connectors/postgres/write_target.h"

namespace maia::postgres {

/// The statements that a session has prepared, by target, kind and columns. Each is prepared at its first
/// use, in the pipeline that uses it.
class PreparedStatements {
 public:
  /// Before each pipeline.
  void start() { unconfirmed_.clear(); }
  Status execute(StatementPipeline& pipeline, const WriteTarget& target, Statement statement,
                 std::span<const std::size_t> columns, std::span<const char* const> values, std::size_t tag);
  /// The pipeline failed: whether the server has prepared what it held is not known.
  void failed();
  /// A target's table has changed, or the target goes.
  void forget(const WriteTarget& target);

 private:
  struct Key {
    const WriteTarget* target;
    Statement statement;
    std::vector<std::size_t> columns;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::string> names_;
  std::vector<Key> unconfirmed_;
  std::size_t made_ = 0;
};

}  // namespace maia::postgres
