// SPDX-License-Identifier: Apache-2.0
#include "maia/app/state_directory.h"

namespace maia::app {

Result<std::string> state_directory(const std::string& given, const config::Environment& environment) {
  if (!given.empty()) return given;
  if (const auto xdg = environment("XDG_STATE_HOME"); xdg && xdg->starts_with('/')) return *xdg + "/maia";
  if (const auto home = environment("HOME"); home && home->starts_with('/'))
    return *home + "/.local/state/maia";
  return Error{Error::Code::invalid_config, Recovery::halt, "there is no place for state: HOME is not set",
               "give one with --state DIR or MAIA_STATE_DIR"};
}

std::string pipeline_directory(const std::string& state, const std::string& pipeline) {
  return state + "/" + pipeline;
}

}  // namespace maia::app
