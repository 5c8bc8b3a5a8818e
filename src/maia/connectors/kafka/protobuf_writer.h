// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::kafka {

/// Appends fields in the wire format of Protocol Buffers to a buffer that it does not own. Fields are named
/// by their numbers.
class ProtobufWriter {
 public:
  explicit ProtobufWriter(std::string& out) : out_(out) {}
  /// int32 and int64
  void number(std::int32_t field, std::int64_t value) {
    tag(field, Wire::varint);
    varint(static_cast<std::uint64_t>(value));
  }
  void boolean(std::int32_t field, bool value) { number(field, value ? 1 : 0); }
  void floating(std::int32_t field, float value) { fixed(field, Wire::four_bytes, value); }
  void floating(std::int32_t field, double value) { fixed(field, Wire::eight_bytes, value); }
  /// string, bytes, and a message that is whole
  void text(std::int32_t field, std::string_view value) {
    tag(field, Wire::length);
    varint(value.size());
    out_ += value;
  }
  /// A value as protobuf_schema.h declares the type.
  void value(std::int32_t field, const Type& type, const ColumnVector& column, std::size_t row);

 private:
  enum class Wire : std::uint8_t { varint = 0, eight_bytes = 1, length = 2, four_bytes = 5 };
  void tag(std::int32_t field, Wire wire) {
    varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
  }
  void varint(std::uint64_t bits) {
    for (; bits >= 0x80; bits >>= 7) out_ += static_cast<char>(bits | 0x80);
    out_ += static_cast<char>(bits);
  }
  template <class T>
  void fixed(std::int32_t field, Wire wire, T value) {
    tag(field, wire);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::string& out_;
};

}  // namespace maia::kafka
