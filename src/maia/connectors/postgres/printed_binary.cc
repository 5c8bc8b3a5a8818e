// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/printed_binary.h"

#include <cstdint>

#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

void append_two(std::string& out, std::int64_t number) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

void append_fraction(std::string& out, std::int64_t micros) {
  if (micros == 0) return;
  out += '.';
  for (std::int64_t unit = 100'000; micros > 0; unit /= 10) {
    out += static_cast<char>('0' + micros / unit);
    micros %= unit;
  }
}

}  // namespace

bool print_char(std::string_view bytes, std::string& out) {
  if (bytes.size() != 1) return false;
  const auto byte = static_cast<unsigned char>(bytes[0]);
  if (byte == 0) return true;
  if (byte < 0x80) {
    out += bytes[0];
    return true;
  }
  out += '\\';
  for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + ((byte >> shift) & 7));
  return true;
}

bool print_money(std::string_view bytes, std::string& out) {
  if (bytes.size() != sizeof(std::int64_t)) return false;
  const auto cents = load<std::int64_t>(bytes.data());
  const auto magnitude =
      cents < 0 ? ~static_cast<std::uint64_t>(cents) + 1 : static_cast<std::uint64_t>(cents);
  out += cents < 0 ? "-$" : "$";
  const auto whole = std::to_string(magnitude / 100);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i > 0 && (whole.size() - i) % 3 == 0) out += ',';
    out += whole[i];
  }
  out += '.';
  append_two(out, static_cast<std::int64_t>(magnitude % 100));
  return true;
}

bool print_timetz(std::string_view bytes, std::string& out) {
  constexpr std::int64_t kSecond = 1'000'000;
  constexpr std::int32_t kMaxZone = 16 * 3600;
  WireReader reader(bytes);
  const auto micros = reader.number<std::int64_t>();
  const auto seconds_west = reader.number<std::int32_t>();
  if (reader.failed() || reader.remaining() != 0 || micros < 0 || micros > 24 * 3600 * kSecond) return false;
  if (seconds_west <= -kMaxZone || seconds_west >= kMaxZone) return false;
  append_two(out, micros / (3600 * kSecond));
  out += ':';
  append_two(out, micros / (60 * kSecond) % 60);
  out += ':';
  append_two(out, micros / kSecond % 60);
  append_fraction(out, micros % kSecond);
  out += seconds_west > 0 ? '-' : '+';
  const auto zone = seconds_west > 0 ? seconds_west : -seconds_west;
  append_two(out, zone / 3600);
  if (zone % 3600 == 0) return true;
  out += ':';
  append_two(out, zone / 60 % 60);
  if (zone % 60 == 0) return true;
  out += ':';
  append_two(out, zone % 60);
  return true;
}

bool print_bits(std::string_view bytes, std::string& out) {
  WireReader reader(bytes);
  const auto bits = reader.number<std::int32_t>();
  const auto packed = reader.take(reader.remaining());
  if (reader.failed() || bits < 0 || packed.size() != (static_cast<std::size_t>(bits) + 7) / 8) return false;
  const auto end = out.size() + static_cast<std::size_t>(bits);
  for (const char byte : packed) {
    for (int bit = 7; bit >= 0 && out.size() < end; --bit) out += (byte >> bit) & 1 ? '1' : '0';
  }
  return true;
}

bool print_macaddr(std::string_view bytes, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  if (bytes.size() != 6 && bytes.size() != 8) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ':';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return true;
}

}  // namespace maia::postgres
