// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "maia/types/column_vector.h"

namespace maia {

/// Decimals of up to 38 digits are int128 scaled by 10^scale; |value| < 10^38 leaves room for these.
inline constexpr int128 kDecimalPlusInfinity = static_cast<int128>(~(uint128{1} << 127));
inline constexpr int128 kDecimalMinusInfinity = -kDecimalPlusInfinity;
inline constexpr int128 kDecimalNaN = -kDecimalPlusInfinity - 1;

/// "-12.50" for (-1250, 2); "NaN", "Infinity", "-Infinity" for the sentinels. Always `scale` digits after
/// the point.
void append_decimal(std::string& out, int128 value, unsigned scale);
/// Reads plain or exponent notation and the three special names. Nothing if it is not a decimal, has more
/// than 38 digits at this scale, or would lose digits by rounding to it.
std::optional<int128> parse_decimal(std::string_view text, unsigned scale);

}  // namespace maia
