// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/app/outside.h"
#include "maia/base/result.h"

namespace maia::app {

/// The directories of the pipelines that answer on their control sockets: of `pipeline`, or of all if it is
/// empty. An error if the one that was asked for does not run.
Result<std::vector<std::string>> running_pipelines(const std::string& state, const std::string& pipeline,
                                                   const Outside& outside);

/// The directory of the one that is named, or of the only one that runs.
Result<std::string> only_running(const std::string& state, const std::string& pipeline,
                                 const Outside& outside);

}  // namespace maia::app
