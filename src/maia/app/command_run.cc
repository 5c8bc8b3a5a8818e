// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/run_pipelines.h"

namespace maia::app {

Result<ExitCode> execute(const RunArguments& arguments, Outside& outside) {
  return run_pipelines(MAIA_TRY(load_pipelines(arguments.files, outside)), arguments, outside);
}

}  // namespace maia::app
