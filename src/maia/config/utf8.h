// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace maia::config {

/// Bytes of the well-formed UTF-8 character at the front of `text`, 1 to 4; 0 if there is none (RFC 3629: no
/// overlong forms, no surrogates, nothing beyond U+10FFFF).
std::size_t utf8_length(std::string_view text);

}  // namespace maia::config
