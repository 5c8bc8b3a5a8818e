// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace maia::postgres {

/// Writes messages in network byte order, the counterpart of WireReader.
class WireWriter {
 public:
  template <std::integral T>
  WireWriter& number(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof value);
    for (std::size_t i = sizeof(T); i > 0; --i) bytes_ += bytes[i - 1];
    return *this;
  }
  WireWriter& character(char c) {
    bytes_ += c;
    return *this;
  }
  /// As they are, without length.
  WireWriter& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  /// With a zero byte at its end.
  WireWriter& text(std::string_view text) {
    bytes_.append(text) += '\0';
    return *this;
  }

  std::string_view view() const { return bytes_; }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};
static_assert(std::endian::native == std::endian::little);

}  // namespace maia::postgres
