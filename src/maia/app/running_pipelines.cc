// SPDX-License-Identifier: Apache-2.0
#include "maia/app/running_pipelines.h"

#include <algorithm>
#include <filesystem>

#include "maia/app/control.h"
#include "maia/app/state_directory.h"

namespace maia::app {

Result<std::vector<std::string>> running_pipelines(const std::string& state, const std::string& pipeline,
                                                   const Outside& outside) {
  const auto root = MAIA_TRY(state_directory(state, outside.environment));
  if (!pipeline.empty()) {
    const auto directory = pipeline_directory(root, pipeline);
    MAIA_TRY(in(pipeline, ask_status(directory)));
    return std::vector<std::string>{directory};
  }
  std::vector<std::string> running;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(root, failure)) {
    if (!std::filesystem::exists(control_socket(entry.path()))) continue;
    if (ask_status(entry.path()).ok()) running.push_back(entry.path());
  }
  std::sort(running.begin(), running.end());
  return running;
}

Result<std::string> only_running(const std::string& state, const std::string& pipeline,
                                 const Outside& outside) {
  const auto running = MAIA_TRY(running_pipelines(state, pipeline, outside));
  if (running.size() == 1) return running[0];
  return Error{
      running.empty() ? Error::Code::unavailable : Error::Code::invalid_config, Recovery::halt,
      running.empty() ? "no pipeline is running" : "several pipelines are running",
      running.empty() ? "start one with maia run" : "name one with --pipeline; maia status lists them"};
}

}  // namespace maia::app
