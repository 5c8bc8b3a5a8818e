// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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

/// What the engine that runs transforms may use from its next start on: it ends with the last transform.
void limit_memory(std::uint64_t bytes);

}  // namespace maia::transforms
