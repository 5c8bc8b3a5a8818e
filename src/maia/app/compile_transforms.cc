// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipelines.h"

namespace maia::app {

Result<std::vector<std::unique_ptr<Transform>>> compile_transforms(
    const std::vector<config::TransformSettings>& transforms) {
  if (!transforms.empty())
    return Error{Error::Code::unsupported, Recovery::halt, "transforms are not in this build of maia yet",
                 ""};
  return std::vector<std::unique_ptr<Transform>>{};
}

}  // namespace maia::app
