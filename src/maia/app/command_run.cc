// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/file_history.h"
#include "maia/app/pipelines.h"
#include "maia/app/run_pipelines.h"

namespace maia::app {

Result<ExitCode> execute(const RunArguments& arguments, Outside& outside) {
  auto pipelines = MAIA_TRY(load_pipelines(arguments.files, outside));
  for (auto& pipeline : pipelines) {
    std::string notice;
    pipeline = MAIA_TRY(as_applied(std::move(pipeline), arguments.state, outside, notice));
    if (!notice.empty()) outside.err << pipeline.name << ": " << notice << '\n';
  }
  return run_pipelines(pipelines, arguments, outside);
}

}  // namespace maia::app
