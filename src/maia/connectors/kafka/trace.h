// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace maia::kafka {

/// A `traceparent` (W3C Trace Context) for one change: the trace is the source's transaction, the span the
/// change. Both are hashes, so that they are the same after every restart.
std::string traceparent(std::string_view pipeline, std::string_view position, std::string_view operation);

}  // namespace maia::kafka
