// SPDX-License-Identifier: Apache-2.0
#include "maia/app/run_pipeline.h"

#include "maia/app/pipelines.h"

namespace maia::app {
namespace {

Error not_built(std::string_view what) {
  return {Error::Code::unsupported, Recovery::halt, std::string(what) + " is not in this build of maia yet",
          ""};
}

}  // namespace

Result<ExitCode> run_pipelines(std::vector<config::PipelineSettings>, const RunArguments&, Outside&) {
  return not_built("running pipelines");
}
Result<ExitCode> show_status(const StatusArguments&, Outside&) { return not_built("status"); }
Result<ExitCode> run_query(const QueryArguments&, Outside&) { return not_built("query"); }
Result<ExitCode> preview_pipeline(const config::PipelineSettings&, const PreviewArguments&, Outside&) {
  return not_built("preview");
}

Result<std::vector<std::unique_ptr<Transform>>> compile_transforms(
    const std::vector<config::TransformSettings>& transforms) {
  if (!transforms.empty()) return not_built("transforms");
  return std::vector<std::unique_ptr<Transform>>{};
}

}  // namespace maia::app
