// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/completion.h"

namespace maia::app {

Result<ExitCode> execute(const CompletionArguments& arguments, Outside& outside) {
  outside.out << completion_script(arguments.shell, command_docs());
  return ExitCode::done;
}

}  // namespace maia::app
