// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/control_request.h"

namespace maia::app {

Result<ExitCode> execute(const ResyncArguments& arguments, Outside& outside) {
  return control(
      {.action = ControlRequest::Action::resync, .destination = {}, .table = {}, .rows = arguments.rows},
      arguments.place, arguments.state, arguments.json, outside);
}

}  // namespace maia::app
