// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipelines.h"
#include "maia/transforms/make_transform.h"

namespace maia::app {

Result<std::vector<std::unique_ptr<Transform>>> compile_transforms(
    const std::vector<config::TransformSettings>& transforms) {
  return maia::transforms::make_transforms(transforms);
}

}  // namespace maia::app
