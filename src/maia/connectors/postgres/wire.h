// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace maia::postgres {

/// PostgreSQL counts time from 2000-01-01, we count from 1970-01-01.
inline constexpr std::int32_t kEpochDays = 10'957;
inline constexpr std::int64_t kEpochMicros = 946'684'800'000'000;

inline std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view chars) {
  return {reinterpret_cast<const std::byte*>(chars.data()), chars.size()};
}

/// The integer at `from` in network byte order; the caller has checked that its bytes are there.
template <std::integral T>
T load(const char* from) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
  return static_cast<T>(value);
}
static_assert(std::endian::native == std::endian::little);

/// Reads a message from front to back. A read past the end yields zeros and marks the reader as failed, so
/// that a whole message can be read before the one check; loops over counts from the message must stop on
/// failed().
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::integral T>
  T number() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail();
      return 0;
    }
    const auto value = load<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  char character() { return number<char>(); }
  /// `size` bytes; none if there are fewer.
  std::string_view take(std::size_t size) {
    if (remaining() < size) [[unlikely]] {
      fail();
      return {};
    }
    const auto taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  /// A text that ends with a zero byte, without it.
  std::string_view text() {
    const auto end = bytes_.find('\0', at_);
    if (end == bytes_.npos) [[unlikely]] {
      fail();
      return {};
    }
    const auto taken = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return taken;
  }

  std::size_t at() const { return at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }
  void fail() { failed_ = true; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace maia::postgres
