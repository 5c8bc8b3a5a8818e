// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/byte_size.h"

namespace maia::config {

/// Readers of scalars as people write them. Each takes the whole text or yields nothing.

/// Decimal digits with an optional sign.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// A finite decimal number.
std::optional<double> parse_number(std::string_view text);
/// `true` or `false`, nothing else: `no` and `off` mean too many things.
std::optional<bool> parse_boolean(std::string_view text);
/// A number and a unit, such as 100ms, 1.5h or "1h 30m"; units are us ms s m h d. A bare 0 needs no unit.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);
/// A number and a unit, such as "64 MB" (1,000,000 each) or 1GiB (2^30); units are B kB MB GB TB KiB MiB GiB
/// TiB in any case. A bare number counts bytes.
std::optional<ByteSize> parse_byte_size(std::string_view text);

/// The shortest form that parses back to the same value.
std::string to_string(std::chrono::microseconds duration);
std::string to_string(ByteSize size);
std::string to_string(double number);

}  // namespace maia::config
