// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/types/type.h"

namespace maia::codec {

/// Appends an array literal (types/type.h) as a JSON array. One with lower bounds, and a text that is no
/// array literal, becomes a JSON string, so that nothing is lost.
void append_array_json(std::string& out, std::string_view literal, const Type& element);

}  // namespace maia::codec
