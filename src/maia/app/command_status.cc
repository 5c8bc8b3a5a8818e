// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/run_pipeline.h"

namespace maia::app {

Result<ExitCode> execute(const StatusArguments& arguments, Outside& outside) {
  return show_status(arguments, outside);
}

}  // namespace maia::app
