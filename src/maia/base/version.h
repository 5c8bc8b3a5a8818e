// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace maia {

/// The version of this program, such as "0.1.0".
std::string_view version();

}  // namespace maia
