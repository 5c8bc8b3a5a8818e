// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::kafka {

/// Appends values in Avro's binary encoding (Apache Avro 1.11 specification) to a buffer that it does not
/// own.
class AvroWriter {
 public:
  explicit AvroWriter(std::string& out) : out_(out) {}
  /// int and long; also the branch of a union and the length of a block.
  void number(std::int64_t value) {
    auto bits = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
    for (; bits >= 0x80; bits >>= 7) out_ += static_cast<char>(bits | 0x80);
    out_ += static_cast<char>(bits);
  }
  void boolean(bool value) { out_ += value ? '\1' : '\0'; }
  template <class T>
  void floating(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  /// string and bytes
  void text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    out_ += value;
  }
  void null() { number(0); }  ///< the first branch of ["null", T]
  void some() { number(1); }  ///< the second; its value follows
  void some(std::string_view value) {
    some();
    text(value);
  }
  /// A value as avro_schema.h declares the type.
  void value(const Type& type, const ColumnVector& column, std::size_t row);

 private:
  std::string& out_;
};

}  // namespace maia::kafka
