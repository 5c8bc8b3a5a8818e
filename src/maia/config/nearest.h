// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maia::config {

/// The known name that `given` is most likely a slip of, by edits (swaps of neighbours count once) without
/// regard to case, `-` and `_`; empty if none is near.
std::string nearest(std::string_view given, const std::vector<std::string>& known);

/// " did you mean 'x'?" without the leading space, or "" if nothing is near.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known);

/// "a, b and c"
std::string listed(const std::vector<std::string>& words, std::string_view conjunction = "and");

}  // namespace maia::config
