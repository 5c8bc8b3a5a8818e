// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/packed_value.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::mysql {
namespace {

constexpr unsigned kDigitsPerGroup = 9;
constexpr unsigned kBytesOfDigits[kDigitsPerGroup + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::int64_t kMicros = 1'000'000;

/// Digits of one group, as many as it has.
bool append_group(std::string& out, WireReader& in, unsigned digits, std::uint64_t mask) {
  constexpr std::uint64_t kPowers[] = {1,       10,        100,        1'000,       10'000,
                                       100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  const auto size = kBytesOfDigits[digits];
  const auto value = in.big(size) ^ (mask & ((std::uint64_t{1} << (8 * size)) - 1));
  if (!in.ok() || value >= kPowers[digits]) return false;
  out += fmt::format("{:0{}}", value, digits);
  return true;
}

unsigned read_fraction(WireReader& in, unsigned digits) {
  static constexpr unsigned kScale[] = {1, 10'000, 100, 1};
  const auto bytes = fraction_bytes(digits);
  return static_cast<unsigned>(in.big(bytes)) * kScale[std::min(bytes, 3U)];
}

}  // namespace

std::size_t packed_decimal_size(unsigned precision, unsigned scale) {
  const auto bytes = [](unsigned digits) { return digits / 9 * 4 + kBytesOfDigits[digits % 9]; };
  return scale > precision ? 0 : bytes(precision - scale) + bytes(scale);
}

bool append_packed_decimal(std::string& out, WireReader& in, unsigned precision, unsigned scale) {
  if (precision == 0 || precision > 65 || scale > precision || scale > 30) return false;
  const auto whole = precision - scale;
  const auto packed = in.bytes(packed_decimal_size(precision, scale));
  if (packed.empty()) return false;
  const bool negative = (packed[0] & 0x80) == 0;
  const auto mask = negative ? ~std::uint64_t{0} : 0;
  // The first bit is the sign, inverted, so that bytes sort as numbers do.
  Bytes plain(packed.begin(), packed.end());
  plain[0] ^= 0x80;
  WireReader digits_in{plain};
  std::string digits;
  bool good = true;
  if (whole % 9 > 0) good = append_group(digits, digits_in, whole % 9, mask);
  for (unsigned i = 0; good && i < whole / 9; ++i) good = append_group(digits, digits_in, 9, mask);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) digits.push_back('0');
  if (scale > 0) digits += '.';
  for (unsigned i = 0; good && i < scale / 9; ++i) good = append_group(digits, digits_in, 9, mask);
  if (good && scale % 9 > 0) good = append_group(digits, digits_in, scale % 9, mask);
  if (!good) return false;
  if (negative) out += '-';
  out += digits;
  return true;
}

CalendarTime read_datetime(WireReader& in, unsigned digits) {
  CalendarTime at;
  const auto packed = in.big(5) - 0x8000000000;
  const auto date = packed >> 17;
  at.year = static_cast<unsigned>((date >> 5) / 13);
  at.month = static_cast<unsigned>((date >> 5) % 13);
  at.day = static_cast<unsigned>(date & 31);
  at.hour = static_cast<unsigned>(packed >> 12 & 31);
  at.minute = static_cast<unsigned>(packed >> 6 & 63);
  at.second = static_cast<unsigned>(packed & 63);
  at.micros = read_fraction(in, digits);
  return at;
}

CalendarTime read_datetime_old(WireReader& in) {
  const auto packed = in.u64();
  const auto date = packed / 1'000'000, time = packed % 1'000'000;
  const auto part = [](std::uint64_t value) { return static_cast<unsigned>(value); };
  return {part(date / 10'000),
          part(date / 100 % 100),
          part(date % 100),
          part(time / 10'000),
          part(time / 100 % 100),
          part(time % 100),
          0};
}

CalendarTime read_date(WireReader& in) {
  const auto packed = static_cast<unsigned>(in.little(3));
  return {packed >> 9, packed >> 5 & 15, packed & 31, 0, 0, 0, 0};
}

std::int64_t read_time(WireReader& in, unsigned digits) {
  // One number of 24 bits and the fraction's, with the middle as zero; so a negative fraction borrows.
  const auto bytes = fraction_bytes(digits);
  const auto middle = std::int64_t{1} << (23 + 8 * bytes);
  const auto packed = static_cast<std::int64_t>(in.big(3 + bytes)) - middle;
  const auto value = packed < 0 ? -packed : packed;
  const auto clock = value >> (8 * bytes);
  constexpr std::int64_t kScale[] = {0, 10'000, 100, 1};
  const auto fraction = (value & ((std::int64_t{1} << (8 * bytes)) - 1)) * kScale[std::min(bytes, 3U)];
  const auto seconds = (clock >> 12 & 1023) * 3600 + (clock >> 6 & 63) * 60 + (clock & 63);
  const auto micros = seconds * kMicros + fraction;
  return packed < 0 ? -micros : micros;
}

std::int64_t read_time_old(WireReader& in) {
  auto packed = static_cast<std::int32_t>(in.little(3) << 8) >> 8;
  const bool negative = packed < 0;
  if (negative) packed = -packed;
  const std::int64_t seconds = packed / 10'000 * 3600 + packed / 100 % 100 * 60 + packed % 100;
  return (negative ? -seconds : seconds) * kMicros;
}

std::optional<std::int64_t> read_timestamp(WireReader& in, unsigned digits) {
  const auto seconds = static_cast<std::int64_t>(in.big(4));
  const auto micros = read_fraction(in, digits);
  if (seconds == 0 && micros == 0) return {};
  return seconds * kMicros + micros;
}

std::optional<std::int64_t> read_timestamp_old(WireReader& in) {
  const auto seconds = static_cast<std::int64_t>(in.u32());
  if (seconds == 0) return {};
  return seconds * kMicros;
}

}  // namespace maia::mysql
