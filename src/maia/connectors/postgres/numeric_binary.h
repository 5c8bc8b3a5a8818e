// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maia/types/decimal.h"

namespace maia::postgres {

/// The binary form of a numeric: four 16-bit numbers (count of digits, weight of the first, sign, digits
/// after the point to be shown), then digits to the base 10,000, the first worth 10,000^weight.
class NumericBinary {
 public:
  /// Borrows the bytes. Nothing if they are not a numeric.
  static std::optional<NumericBinary> read(std::string_view bytes);

  /// The value times 10^scale, specials as in types/decimal.h. Nothing if that has more than 38 digits or
  /// would lose some.
  std::optional<int128> scaled(unsigned scale) const;
  /// As the server prints it.
  void append_text(std::string& out) const;

 private:
  enum Sign : std::uint16_t {
    kPlus = 0x0000,
    kMinus = 0x4000,
    kNaN = 0xC000,
    kPlusInfinity = 0xD000,
    kMinusInfinity = 0xF000
  };
  unsigned digit(int place) const;

  std::string_view digits_;
  int count_ = 0;
  int weight_ = 0;
  std::uint16_t sign_ = kPlus;
  int shown_ = 0;
};

}  // namespace maia::postgres
