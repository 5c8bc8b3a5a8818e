// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/observe/metrics.h"

namespace maia::observe {

/// Adds the process_* metrics that Prometheus' own client libraries have: processor time, resident memory,
/// open file descriptors, start time. Brought up to date at each exposition.
void add_process_metrics(Registry& registry);

}  // namespace maia::observe
