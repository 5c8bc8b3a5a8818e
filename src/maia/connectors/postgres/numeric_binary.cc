// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/numeric_binary.h"

#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

constexpr unsigned kRadix = 10'000;
constexpr int kRadixDigits = 4;
constexpr int kMaxDigits = 38;
constexpr int kMaxShown = 16'383;
constexpr unsigned kPowers[] = {1, 10, 100, 1'000, 10'000};

int decimal_digits(unsigned digit) { return digit >= 1'000 ? 4 : digit >= 100 ? 3 : digit >= 10 ? 2 : 1; }

}  // namespace

std::optional<NumericBinary> NumericBinary::read(std::string_view bytes) {
  WireReader reader(bytes);
  NumericBinary numeric;
  numeric.count_ = reader.number<std::uint16_t>();
  numeric.weight_ = reader.number<std::int16_t>();
  numeric.sign_ = reader.number<std::uint16_t>();
  numeric.shown_ = reader.number<std::uint16_t>();
  if (reader.failed() || reader.remaining() != static_cast<std::size_t>(numeric.count_) * 2) return {};
  if (numeric.shown_ > kMaxShown) return {};
  numeric.digits_ = reader.take(reader.remaining());
  for (int i = 0; i < numeric.count_; ++i) {
    if (load<std::uint16_t>(numeric.digits_.data() + i * 2) >= kRadix) return {};
  }
  switch (numeric.sign_) {
    case kPlus:
    case kMinus:
    case kNaN:
    case kPlusInfinity:
    case kMinusInfinity: return numeric;
    default: return {};
  }
}

unsigned NumericBinary::digit(int place) const {
  return place >= 0 && place < count_ ? load<std::uint16_t>(digits_.data() + place * 2) : 0;
}

std::optional<int128> NumericBinary::scaled(unsigned scale) const {
  if (sign_ == kNaN) return kDecimalNaN;
  if (sign_ == kPlusInfinity) return kDecimalPlusInfinity;
  if (sign_ == kMinusInfinity) return kDecimalMinusInfinity;
  int first = 0;
  while (first < count_ && digit(first) == 0) ++first;
  if (first == count_) return int128{0};
  // Power of ten, after scaling, of each digit's last decimal digit.
  const auto power = [&](int place) { return kRadixDigits * (weight_ - place) + static_cast<int>(scale); };
  if (power(first) + decimal_digits(digit(first)) > kMaxDigits) return {};
  int128 value = 0;
  int place = first;
  for (; place < count_ && power(place) >= 0; ++place) value = value * kRadix + digit(place);
  if (place == count_) {
    for (int left = power(place - 1); left > 0; --left) value *= 10;
  }
  // One digit may lie across the end of the scale; all behind it must be zero.
  for (; place < count_; ++place) {
    const int below = -power(place);
    if (below >= kRadixDigits) {
      if (digit(place) != 0) return {};
      continue;
    }
    if (digit(place) % kPowers[below] != 0) return {};
    value = value * kPowers[kRadixDigits - below] + digit(place) / kPowers[below];
  }
  return sign_ == kMinus ? -value : value;
}

void NumericBinary::append_text(std::string& out) const {
  if (sign_ == kNaN) return void(out += "NaN");
  if (sign_ == kPlusInfinity) return void(out += "Infinity");
  if (sign_ == kMinusInfinity) return void(out += "-Infinity");
  const auto append_digit = [&](unsigned digit) {
    const char chars[] = {static_cast<char>('0' + digit / 1'000), static_cast<char>('0' + digit / 100 % 10),
                          static_cast<char>('0' + digit / 10 % 10), static_cast<char>('0' + digit % 10)};
    out.append(chars, sizeof chars);
  };
  if (sign_ == kMinus) out += '-';
  const auto whole = out.size();
  for (int place = 0; place <= weight_; ++place) append_digit(digit(place));
  const auto leading_zeros = out.find_first_not_of('0', whole);
  out.erase(whole, (leading_zeros == out.npos ? out.size() : leading_zeros) - whole);
  if (out.size() == whole) out += '0';
  if (shown_ == 0) return;
  out += '.';
  const auto fraction = out.size();
  for (int place = weight_ + 1; out.size() - fraction < static_cast<std::size_t>(shown_); ++place) {
    append_digit(digit(place));
  }
  out.resize(fraction + static_cast<std::size_t>(shown_));
}

}  // namespace maia::postgres
