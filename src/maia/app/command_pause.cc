// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/control_request.h"

namespace maia::app {

Result<ExitCode> execute(const PauseArguments& arguments, Outside& outside) {
  return control({.action = ControlRequest::Action::pause, .destination = {}, .table = {}, .rows = {}},
                 arguments.place, arguments.state, arguments.json, outside);
}

}  // namespace maia::app
