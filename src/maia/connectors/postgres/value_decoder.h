// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/postgres/type_map.h"
#include "maia/types/column_vector.h"

namespace maia::postgres {

/// Reads the values of one column, in text or binary form, into a ColumnVector of physical(type()). Both
/// forms of a value give identical bytes. Compiled once per column: two function pointers, no branch on the
/// type per value. Text is expected as printed under session_settings(). Stateless; usable from several
/// threads.
///
/// Errors, with nothing pushed: Code::data when the value has no place in the canonical type (a timestamp
/// beyond our range), Code::corruption when the bytes are not of the type. Neither shows the value.
class ValueDecoder {
 public:
  explicit ValueDecoder(const MappedType& mapped);

  const Type& type() const { return type_; }
  Oid native_oid() const { return native_oid_; }
  bool has_binary() const { return binary_ != nullptr; }
  /// Of an array with a binary form; null for all others.
  const ValueDecoder* element() const { return element_.get(); }

  Status push_text(ColumnVector& column, std::string_view text) const {
    const auto outcome = read_text(column, text);
    if (outcome == Outcome::ok) [[likely]]
      return {};
    return error(outcome);
  }
  /// Only if has_binary(); Code::unsupported otherwise.
  Status push_binary(ColumnVector& column, std::span<const std::byte> value) const {
    const auto outcome = read_binary(column, value);
    if (outcome == Outcome::ok) [[likely]]
      return {};
    return error(outcome);
  }

  /// The same without words, for loops over many values; `error` has the words.
  enum class Outcome : std::uint8_t { ok, malformed, out_of_range, no_binary };
  Outcome read_text(ColumnVector& column, std::string_view text) const { return text_(column, type_, text); }
  Outcome read_binary(ColumnVector& column, std::span<const std::byte> value) const {
    return binary_ ? binary_(column, *this, value) : Outcome::no_binary;
  }
  Error error(Outcome outcome) const;

  using TextFunction = Outcome (*)(ColumnVector&, const Type&, std::string_view);
  using BinaryFunction = Outcome (*)(ColumnVector&, const ValueDecoder&, std::span<const std::byte>);

 private:
  Type type_;
  Oid native_oid_ = 0;
  std::shared_ptr<const ValueDecoder> element_;
  TextFunction text_ = nullptr;
  BinaryFunction binary_ = nullptr;
};

}  // namespace maia::postgres
