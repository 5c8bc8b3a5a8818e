// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/query_output.h"
#include "maia/app/running_pipelines.h"

namespace maia::app {
Result<ExitCode> execute(const QueryArguments& arguments, Outside& outside) {
  const auto running = MAIA_TRY(running_pipelines(arguments.state, arguments.pipeline, outside));
  if (running.size() != 1) {
    return Error{
        running.empty() ? Error::Code::unavailable : Error::Code::invalid_config, Recovery::halt,
        running.empty() ? "no pipeline is running" : "several pipelines are running",
        running.empty() ? "start one with maia run" : "name one with --pipeline; maia status lists them"};
  }
  const auto result = MAIA_TRY(ask_query(
      running[0], {.sql = arguments.sql,
                   .destination = arguments.destination,
                   .limits = {.rows = arguments.rows,
                              .timeout_ms = static_cast<std::uint32_t>(arguments.timeout.count())}}));
  show(result, arguments.format, arguments.rows, outside);
  return ExitCode::done;
}

}  // namespace maia::app
