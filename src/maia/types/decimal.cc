// SPDX-License-Identifier: Apache-2.0
#include "maia/types/decimal.h"

#include <algorithm>
#include <charconv>

namespace maia {
namespace {

constexpr unsigned kMaxDigits = 38;

}  // namespace

void append_decimal(std::string& out, int128 value, unsigned scale) {
  if (value == kDecimalNaN) return void(out += "NaN");
  if (value == kDecimalPlusInfinity) return void(out += "Infinity");
  if (value == kDecimalMinusInfinity) return void(out += "-Infinity");
  char digits[48];
  std::size_t n = 0;
  auto magnitude = value < 0 ? static_cast<uint128>(-(value + 1)) + 1 : static_cast<uint128>(value);
  for (unsigned digit = 0; magnitude > 0 || digit <= scale; ++digit) {
    if (digit == scale && scale > 0) digits[n++] = '.';
    digits[n++] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  }
  if (value < 0) out += '-';
  std::reverse(digits, digits + n);
  out.append(digits, n);
}

std::optional<int128> parse_decimal(std::string_view text, unsigned scale) {
  if (text == "NaN") return kDecimalNaN;
  if (text == "Infinity" || text == "+Infinity") return kDecimalPlusInfinity;
  if (text == "-Infinity") return kDecimalMinusInfinity;
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != text.npos) {
    auto tail = text.substr(e + 1);
    if (tail.size() > 1 && tail[0] == '+' && tail[1] != '-') tail.remove_prefix(1);
    const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (error != std::errc{} || end != tail.data() + tail.size() || tail.empty()) return {};
    if (exponent > 1000 || exponent < -1000) return {};
    text = text.substr(0, e);
  }
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction = point == text.npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return {};
  // Digits that remain after the last one we read must be made up with zeros, digits beyond the
  // scale must be zeros themselves.
  const int wanted = static_cast<int>(whole.size()) + static_cast<int>(scale) + exponent;
  int128 value = 0;
  unsigned significant = 0;
  int taken = 0;
  for (const auto part : {whole, fraction}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return {};
      if (taken++ >= wanted) {
        if (c != '0') return {};
        continue;
      }
      if (value != 0 || c != '0') ++significant;
      if (significant > kMaxDigits) return {};
      value = value * 10 + (c - '0');
    }
  }
  for (; taken < wanted; ++taken) {
    if (value == 0) break;
    if (++significant > kMaxDigits) return {};
    value *= 10;
  }
  return negative ? -value : value;
}

}  // namespace maia
