// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maia/base/result.h"
#include "maia/connectors/mysql/charset.h"
#include "maia/connectors/mysql/native_type.h"
#include "maia/connectors/mysql/table_map.h"
#include "maia/connectors/mysql/value_push.h"
#include "maia/connectors/mysql/wire.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::mysql {

/// Reads the values of one column of a table's rows in the binary log. Used from one thread.
class ColumnDecoder {
 public:
  /// `native`: what the catalogue says of the column, which the log may not. Code::unsupported if the column
  /// cannot be read.
  static Result<ColumnDecoder> make(const WireColumn& wire, NativeType native, Type type, ZeroDates zero);

  /// The bytes of one value, with the length in front of it. Empty, with `in` used up, if it ends too early.
  ByteView take(WireReader& in) const;
  /// Decodes what `take` has given.
  Status push(ByteView value, ColumnVector& to);

  bool is_json() const { return wire_.type == WireType::json; }

 private:
  ColumnDecoder(WireColumn wire, NativeType native, Type type, ZeroDates zero, CharsetDecoder charset)
      : wire_(std::move(wire)),
        native_(std::move(native)),
        type_(std::move(type)),
        zero_(zero),
        charset_(std::move(charset)) {}
  std::size_t size_of(WireReader in) const;
  Status push_bytes(ByteView value, ColumnVector& to);
  Status push_fixed_bytes(ByteView value, ColumnVector& to);
  Status push_number(WireReader& in, ColumnVector& to);
  Status push_moment(WireReader& in, ColumnVector& to);
  void push_labels(std::uint64_t bits, ColumnVector& to);

  WireColumn wire_;
  NativeType native_;
  Type type_;
  ZeroDates zero_;
  CharsetDecoder charset_;
};

/// Whether a column of the log can be one that the catalogue describes so.
bool fits(const WireColumn& wire, const NativeType& native);

}  // namespace maia::mysql
