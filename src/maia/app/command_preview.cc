// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"

namespace maia::app {

Result<ExitCode> execute(const PreviewArguments&, Outside&) {
  return Error{Error::Code::unsupported, Recovery::halt, "preview is not in this build of maia yet", ""};
}

}  // namespace maia::app
