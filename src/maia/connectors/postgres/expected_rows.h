// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/connectors/postgres/write_target.h"

namespace maia::postgres {

/// What the statements of a pipeline are for, and how many rows each has to find.
class ExpectedRows {
 public:
  void clear() { expected_.clear(); }
  /// The tag for the statement. `what` it does to rows is for the message if there are not as many as `rows`.
  std::size_t add(const WriteTarget& target, const char* what, std::optional<std::size_t> rows = {}) {
    expected_.push_back({&target, what, rows});
    return expected_.size();
  }
  /// The pipeline's outcome: its error with the table's name, or Code::data if a statement did not find all
  /// of its rows, since then source and destination have parted.
  Status check(const StatementPipeline& pipeline, Status finished) const;

 private:
  struct Expected {
    const WriteTarget* target = nullptr;
    const char* what = "";
    std::optional<std::size_t> rows;
  };
  std::vector<Expected> expected_;
};

}  // namespace maia::postgres
