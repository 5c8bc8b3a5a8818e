// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"

namespace maia::app {

// What the commands need of the engine.

/// Runs the pipelines until a stop signal, a failure, or, if asked for, until they have caught up.
Result<ExitCode> run_pipelines(std::vector<config::PipelineSettings> pipelines, const RunArguments& arguments,
                               Outside& outside);
/// Asks running pipelines through their control sockets.
Result<ExitCode> show_status(const StatusArguments& arguments, Outside& outside);
Result<ExitCode> run_query(const QueryArguments& arguments, Outside& outside);
/// Rows of the source before and after the transforms, without changing anything.
Result<ExitCode> preview_pipeline(const config::PipelineSettings& pipeline, const PreviewArguments& arguments,
                                  Outside& outside);

}  // namespace maia::app
