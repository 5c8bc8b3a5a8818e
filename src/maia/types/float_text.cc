// SPDX-License-Identifier: Apache-2.0
#include "maia/types/float_text.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "maia/types/column_vector.h"

namespace maia {
namespace {

template <class T>
inline constexpr int kLastPositionalExponent = sizeof(T) == 8 ? 14 : 5;

/// digits * 10^exponent, without sign.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
};

/// mantissa * 2^exponent, without sign.
struct Binary {
  std::uint64_t mantissa = 0;
  int exponent = 0;
  bool power_of_two = false;  ///< the neighbour below is only half as far away as the one above
};

template <class T>
Binary dissect(T value) {
  constexpr int kMantissaBits = std::numeric_limits<T>::digits - 1;
  constexpr int kBias = std::numeric_limits<T>::max_exponent - 1 + kMantissaBits;
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  const std::uint64_t bits = std::bit_cast<Bits>(value);
  const auto fraction = bits & ((std::uint64_t{1} << kMantissaBits) - 1);
  const auto exponent = static_cast<int>((bits >> kMantissaBits) & (sizeof(T) == 8 ? 0x7ff : 0xff));
  if (exponent == 0) return {fraction, 1 - kBias, false};
  return {fraction | (std::uint64_t{1} << kMantissaBits), exponent - kBias, fraction == 0 && exponent > 1};
}

uint128 power_of_five(int exponent) {
  uint128 power = 1;
  for (; exponent > 0; --exponent) power *= 5;
  return power;
}

/// decimal == mantissa * 2^exponent, exactly.
bool equal(const Decimal& decimal, std::uint64_t mantissa, int exponent) {
  // Beyond 5^27 a side would need more bits than either number has.
  if (decimal.exponent > 27 || decimal.exponent < -27) return false;
  uint128 left = decimal.digits;
  uint128 right = mantissa;
  if (decimal.exponent >= 0) {
    left *= power_of_five(decimal.exponent);
  } else {
    right *= power_of_five(-decimal.exponent);
  }
  int left_shift = decimal.exponent;
  int right_shift = exponent;
  for (; left != 0 && (left & 1) == 0; left >>= 1) ++left_shift;
  for (; right != 0 && (right & 1) == 0; right >>= 1) ++right_shift;
  return left == right && left_shift == right_shift;
}

/// Whether the decimal lies exactly between the number and one of its neighbours.
bool is_halfway(const Decimal& decimal, const Binary& binary) {
  if (equal(decimal, 2 * binary.mantissa + 1, binary.exponent - 1)) return true;
  if (binary.power_of_two) return equal(decimal, 4 * binary.mantissa - 1, binary.exponent - 2);
  return equal(decimal, 2 * binary.mantissa - 1, binary.exponent - 1);
}

/// Reads "d.ddde[+-]dd" as std::to_chars prints it.
Decimal read_scientific(const char* begin, const char* end) {
  Decimal decimal;
  int fraction_digits = 0;
  bool in_fraction = false;
  for (; *begin != 'e'; ++begin) {
    if (*begin == '.') {
      in_fraction = true;
      continue;
    }
    decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*begin - '0');
    fraction_digits += in_fraction;
  }
  begin += begin[1] == '+' ? 2 : 1;
  std::from_chars(begin, end, decimal.exponent);
  decimal.exponent -= fraction_digits;
  return decimal;
}

template <class T>
bool reads_back(const Decimal& decimal, T value) {
  char text[40];
  const auto* end = fmt::format_to(text, "{}e{}", decimal.digits, decimal.exponent);
  T back = 0;
  std::from_chars(text, end, back);
  return back == value;
}

/// The shortest decimal strictly nearer to the number than to its neighbours, for a number whose shortest
/// decimal lies halfway.
template <class T>
Decimal shortest_inside(T value, const Binary& binary) {
  char text[64];
  for (int precision = 0; precision <= std::numeric_limits<T>::max_digits10; ++precision) {
    const auto printed =
        std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, precision);
    const auto nearest = read_scientific(text, printed.ptr);
    for (const int step : {0, 1, -1}) {
      const Decimal candidate{nearest.digits + static_cast<std::uint64_t>(step), nearest.exponent};
      if (reads_back(candidate, value) && !is_halfway(candidate, binary)) return candidate;
    }
  }
  MAIA_ASSERT(false);
}

template <class T>
Decimal shortest(T magnitude) {
  char text[40];
  const auto printed = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific);
  const auto decimal = read_scientific(text, printed.ptr);
  const auto binary = dissect(magnitude);
  // Elsewhere no decimal of so few digits can lie halfway, and an odd mantissa never rounds to itself.
  const bool may_be_halfway = binary.mantissa % 2 == 0 && binary.exponent >= -4 && binary.exponent <= 90;
  if (may_be_halfway && is_halfway(decimal, binary)) return shortest_inside(magnitude, binary);
  return decimal;
}

char* put_positional(char* at, const char* digits, int count, int exponent) {
  if (exponent < 0) {
    *at++ = '0';
    *at++ = '.';
    for (int i = -1; i > exponent; --i) *at++ = '0';
    for (int i = 0; i < count; ++i) *at++ = digits[i];
    return at;
  }
  for (int i = 0; i < count || i <= exponent; ++i) {
    if (i == exponent + 1) *at++ = '.';
    *at++ = i < count ? digits[i] : '0';
  }
  return at;
}

char* put_scientific(char* at, const char* digits, int count, int exponent) {
  *at++ = digits[0];
  if (count > 1) *at++ = '.';
  for (int i = 1; i < count; ++i) *at++ = digits[i];
  *at++ = 'e';
  *at++ = exponent < 0 ? '-' : '+';
  if (std::abs(exponent) < 10) *at++ = '0';
  return std::to_chars(at, at + 4, std::abs(exponent)).ptr;
}

template <class T>
void append(std::string& out, T value) {
  if (std::isnan(value)) return void(out += "NaN");
  if (std::signbit(value)) out += '-';
  if (std::isinf(value)) return void(out += "Infinity");
  if (value == 0) return void(out += '0');
  const auto decimal = shortest(std::abs(value));
  char digits[24];
  int count = static_cast<int>(std::to_chars(digits, digits + sizeof digits, decimal.digits).ptr - digits);
  const int exponent = decimal.exponent + count - 1;
  while (count > 1 && digits[count - 1] == '0') --count;
  char text[48];
  const bool positional = exponent >= -4 && exponent <= kLastPositionalExponent<T>;
  auto* end = positional ? put_positional(text, digits, count, exponent)
                         : put_scientific(text, digits, count, exponent);
  out.append(text, end);
}

}  // namespace

void append_float(std::string& out, float value) { append(out, value); }
void append_float(std::string& out, double value) { append(out, value); }

template <class T>
std::optional<T> parse_float(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<T>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<T>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<T>::infinity();
  // std::from_chars takes other spellings of those names; only digits may follow here.
  const auto first = text.find_first_not_of('-');
  if (first > 1 || text[first] < '0' || text[first] > '9') return std::nullopt;
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template std::optional<float> parse_float<float>(std::string_view);
template std::optional<double> parse_float<double>(std::string_view);

}  // namespace maia
