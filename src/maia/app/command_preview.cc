// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/run_pipeline.h"

namespace maia::app {

Result<ExitCode> execute(const PreviewArguments& arguments, Outside& outside) {
  auto code = ExitCode::done;
  for (const auto& pipeline : MAIA_TRY(load_pipelines({arguments.file}, outside))) {
    const auto shown = MAIA_TRY(preview_pipeline(pipeline, arguments, outside));
    if (shown != ExitCode::done) code = shown;
  }
  return code;
}

}  // namespace maia::app
