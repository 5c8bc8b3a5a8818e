// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/pipelines.h"

namespace maia::app {

Result<ExitCode> execute(const TestArguments& arguments, Outside& outside) {
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside)))
    MAIA_TRY(compile_transforms(pipeline.transforms));
  return Error{Error::Code::unsupported, Recovery::halt, "test is not in this build of maia yet", ""};
}

}  // namespace maia::app
