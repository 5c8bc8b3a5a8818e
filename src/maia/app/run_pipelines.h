// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"

namespace maia::app {

/// Runs pipelines in the foreground, each on its own, until SIGINT or SIGTERM, or until all have caught up if
/// that was asked for. On a terminal it shows a live table, otherwise JSON log lines. A pipeline that fails
/// does not stop the others; the first error is what the call ends with.
Result<ExitCode> run_pipelines(const std::vector<config::PipelineSettings>& pipelines,
                               const RunArguments& arguments, Outside& outside);

}  // namespace maia::app
