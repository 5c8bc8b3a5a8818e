// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/query_output.h"
#include "maia/app/running_pipelines.h"

namespace maia::app {
Result<ExitCode> execute(const QueryArguments& arguments, Outside& outside) {
  const auto directory = MAIA_TRY(only_running(arguments.state, arguments.pipeline, outside));
  const auto result = MAIA_TRY(ask_query(
      directory, {.sql = arguments.sql,
                  .destination = arguments.destination,
                  .limits = {.rows = arguments.rows,
                             .timeout_ms = static_cast<std::uint32_t>(arguments.timeout.count())}}));
  show(result, arguments.format, arguments.rows, outside);
  return ExitCode::done;
}

}  // namespace maia::app
