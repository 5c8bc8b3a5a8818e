// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace maia {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends little-endian numbers and length-prefixed text to a buffer, which must outlive it.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u32(std::uint32_t value) { raw(&value, sizeof value); }
  void u64(std::uint64_t value) { raw(&value, sizeof value); }
  void i64(std::int64_t value) { raw(&value, sizeof value); }
  /// LEB128: seven bits a byte, lowest first.
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::uint8_t>(value | 0x80));
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void bytes(ByteView value) { out_.insert(out_.end(), value.begin(), value.end()); }
  /// Its length as varint, then its bytes.
  void text(std::string_view value) {
    varint(value.size());
    bytes(as_bytes(value));
  }
  void raw(const void* from, std::size_t size) {
    if (size > 0) bytes({static_cast<const std::uint8_t*>(from), size});
  }

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote, out of memory that it does not own. A read past the end yields zero or
/// nothing and makes the reader bad for good; look at ok() before what was read is used.
class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}
  bool ok() const { return ok_; }
  /// Everything was read and nothing was missing.
  bool finished() const { return ok_ && in_.empty(); }
  std::size_t left() const { return in_.size(); }
  void fail() { ok_ = false; }

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::int64_t i64() { return number<std::int64_t>(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = u8();
      // A number has one form: what is read is written again as it was.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) fail();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) == 0) return ok_ ? value : 0;
    }
    fail();
    return 0;
  }
  /// A number of things that take at least `bytes_each` further bytes each, so that no hostile number makes
  /// the caller reserve more than the input is worth.
  std::size_t count(std::size_t bytes_each) {
    const auto n = varint();
    if (n > left() / bytes_each) fail();
    return ok_ ? static_cast<std::size_t>(n) : 0;
  }
  ByteView bytes(std::uint64_t size) {
    if (!ok_ || size > in_.size()) {
      fail();
      return {};
    }
    const auto out = in_.first(static_cast<std::size_t>(size));
    in_ = in_.subspan(static_cast<std::size_t>(size));
    return out;
  }
  std::string_view text() { return as_text(bytes(varint())); }

 private:
  template <class T>
  T number() {
    T value{};
    const auto from = bytes(sizeof(T));
    if (ok_) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }

  ByteView in_;
  bool ok_ = true;
};

}  // namespace maia
