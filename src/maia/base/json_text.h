// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace maia {

/// Appends a JSON string literal (RFC 8259), quotes included, always on one line. Bytes that are not UTF-8
/// become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace maia
