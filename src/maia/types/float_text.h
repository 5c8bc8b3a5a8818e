// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maia {

/// The shortest text that reads back as the same number, digit for digit as PostgreSQL 12 and later print it
/// with extra_float_digits above 0: positional for decimal exponents -4 to 14 (float: 5), otherwise 1e+20
/// with at least two digits in the exponent; never a number that lies exactly between two neighbours, because
/// reading that back depends on the reader's rounding. NaN, Infinity, -Infinity; -0 keeps its sign.
void append_float(std::string& out, float value);
void append_float(std::string& out, double value);

/// Reads plain or exponent notation and the three special names. Nothing if it is no number or beyond the
/// range of T.
template <class T>
std::optional<T> parse_float(std::string_view text);

}  // namespace maia
