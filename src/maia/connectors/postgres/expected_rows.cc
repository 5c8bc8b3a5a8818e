// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/expected_rows.h"

#include <fmt/format.h>

namespace maia::postgres {

Status ExpectedRows::check(const StatementPipeline& pipeline, Status finished) const {
  if (!finished.ok()) {
    const auto tag = pipeline.failed_tag().value_or(0);
    if (tag == 0) return finished;
    return in("table " + to_string(expected_[tag - 1].target->target().name), std::move(finished));
  }
  for (const auto& outcome : pipeline.outcomes()) {
    if (outcome.tag == 0) continue;
    const auto& expected = expected_[outcome.tag - 1];
    if (!expected.rows || outcome.affected >= *expected.rows) continue;
    const auto missing = *expected.rows - outcome.affected;
    return Error{
        .code = Error::Code::data,
        .message = fmt::format("table {}: there is no row to {} for {} change{}",
                               to_string(expected.target->target().name), expected.what, missing,
                               missing == 1 ? "" : "s"),
        .hint =
            "something else has removed or changed rows at the destination; `maia resync` copies the "
            "table again"};
  }
  return {};
}

}  // namespace maia::postgres
