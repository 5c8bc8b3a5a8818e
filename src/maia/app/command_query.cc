// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/run_pipeline.h"

namespace maia::app {

Result<ExitCode> execute(const QueryArguments& arguments, Outside& outside) {
  return run_query(arguments, outside);
}

}  // namespace maia::app
