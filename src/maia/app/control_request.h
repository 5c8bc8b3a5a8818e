// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/base/result.h"

namespace maia::app {

/// What `maia pause`, `resume` and `resync` ask of a running pipeline; travels as JSON over its control
/// socket.
struct ControlRequest {
  enum class Action : std::uint8_t { pause, resume, resync };
  Action action = Action::pause;
  std::string destination, table;  ///< as in ControlPlace
  std::string rows;                ///< resync: a RowCondition; empty: all
};

std::string to_json(const ControlRequest& request);
/// Code::invalid_config if it is not what to_json writes.
Result<ControlRequest> control_request_from_json(const std::string& json);

/// Asks the running pipeline and shows its answer.
Result<ExitCode> control(ControlRequest request, const ControlPlace& place, const std::string& state,
                         bool json, Outside& outside);

}  // namespace maia::app
