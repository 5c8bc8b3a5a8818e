// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "maia/config/pipeline_file.h"
#include "maia/connector/transform.h"

namespace maia::transforms {

/// The transforms of a pipeline, in order. Code::invalid_config names the transform and the place in its
/// text. Thread-safe.
Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
    std::span<const config::TransformSettings> settings);

}  // namespace maia::transforms
