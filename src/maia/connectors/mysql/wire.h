// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "maia/base/bytes.h"

namespace maia::mysql {

/// Reads the numbers of the binary log, as ByteReader does ours.
class WireReader : public ByteReader {
 public:
  using ByteReader::ByteReader;

  ByteView rest() { return bytes(left()); }
  std::string_view text(std::uint64_t size) { return as_text(bytes(size)); }
  /// Little-endian, up to eight bytes.
  std::uint64_t little(unsigned size) {
    std::uint64_t value = 0;
    const auto from = bytes(size);
    if (!from.empty()) std::memcpy(&value, from.data(), size);
    return value;
  }
  std::uint64_t big(unsigned size) {
    std::uint64_t value = 0;
    for (const auto byte : bytes(size)) value = value << 8 | byte;
    return value;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little(2)); }
  /// A number with its length in front: below 251 one byte, otherwise 2, 3 or 8 behind a mark.
  std::uint64_t packed() {
    const auto first = u8();
    if (first < 251) return first;
    if (first == 252) return little(2);
    if (first == 253) return little(3);
    if (first == 254) return little(8);
    fail();
    return 0;
  }
  std::string_view packed_text() { return text(packed()); }
  /// MySQL's number of its newer messages: as many ones at the bottom of the first byte as bytes follow it.
  std::uint64_t compact() {
    const auto first = u8();
    unsigned more = 0;
    while (more < 8 && (first >> more & 1U) != 0) ++more;
    if (more == 8) return u64();
    const auto high = little(more);
    return more == 7 ? high : (first >> (more + 1)) | high << (7 - more);
  }
};

}  // namespace maia::mysql
