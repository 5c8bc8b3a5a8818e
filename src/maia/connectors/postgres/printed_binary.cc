// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/printed_binary.h"

#include <fmt/format.h>

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

void append_dotted(std::string& out, std::string_view four_bytes) {
  for (std::size_t i = 0; i < four_bytes.size(); ++i) {
    if (i > 0) out += '.';
    out += std::to_string(static_cast<unsigned char>(four_bytes[i]));
  }
}

struct Run {
  int begin = 0;
  int size = 0;
};

/// The longest run of zeros among the groups of an address, the first if there are several; only from two on
/// does it count.
Run longest_zeros(const std::uint16_t (&groups)[8]) {
  Run best;
  for (int begin = 0; begin < 8; ++begin) {
    int end = begin;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - begin > best.size) best = {begin, end - begin};
  }
  return best.size >= 2 ? best : Run{};
}

/// Groups in hexadecimal, the longest run of zeros as "::", and the last 32 bits dotted where the address
/// stands for one of version 4.
void append_groups(std::string& out, std::string_view address) {
  std::uint16_t groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = load<std::uint16_t>(address.data() + i * 2);
  const auto zeros = longest_zeros(groups);
  const bool stands_for_version4 =
      zeros.begin == 0 &&
      (zeros.size == 6 || (zeros.size == 7 && groups[7] != 1) || (zeros.size == 5 && groups[5] == 0xffff));
  for (int i = 0; i < 8; ++i) {
    if (zeros.size > 0 && i == zeros.begin) {
      out += "::";
      i += zeros.size - 1;
      continue;
    }
    if (i > 0 && out.back() != ':') out += ':';
    if (i == 6 && stands_for_version4) return append_dotted(out, address.substr(12));
    fmt::format_to(std::back_inserter(out), "{:x}", groups[i]);
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

bool print_inet(std::string_view bytes, std::string& out) {
  constexpr std::uint8_t kVersion4 = 2;
  constexpr std::uint8_t kVersion6 = 3;
  WireReader reader(bytes);
  const auto family = reader.number<std::uint8_t>();
  const auto network_bits = reader.number<std::uint8_t>();
  const auto is_cidr = reader.number<std::uint8_t>();
  const auto size = reader.number<std::uint8_t>();
  const auto address = reader.take(size);
  if (reader.failed() || reader.remaining() != 0 || is_cidr > 1 || network_bits > size * 8) return false;
  if (family == kVersion4 && size == 4) {
    append_dotted(out, address);
  } else if (family == kVersion6 && size == 16) {
    append_groups(out, address);
  } else {
    return false;
  }
  if (is_cidr == 1 || network_bits < size * 8) out += "/" + std::to_string(network_bits);
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
