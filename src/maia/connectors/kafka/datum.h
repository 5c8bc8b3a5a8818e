// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::kafka {

/// Stands for a value that its source did not send (docs/reference/change-envelope.md).
inline constexpr std::string_view kNotSent = "__debezium_unavailable_value";

/// A value in a record, whatever the record is encoded in. Where a schema says what the value means, `type`
/// is the canonical type, and the value is as that type has it: numbers of dates and times in its units
/// (types/type.h), decimals and intervals as canonical text, bytes as they are.
struct Datum {
  enum class Kind : std::uint8_t { null, boolean, whole, real, text, record, list };
  Kind kind = Kind::null;
  std::optional<Type> type;  ///< nothing: only the value itself says what it is
  std::int64_t whole = 0;    ///< boolean: 0 or 1
  double real = 0;
  std::string text;
  std::vector<std::string> names;  ///< record: of the items
  std::vector<Datum> items;

  static Datum of(std::string text) {
    Datum out;
    out.kind = Kind::text;
    out.text = std::move(text);
    return out;
  }
  static Datum of(std::int64_t number) {
    Datum out;
    out.kind = Kind::whole;
    out.whole = number;
    return out;
  }
  bool is(Kind wanted) const { return kind == wanted; }
  /// A member of a record; null if it has none of the name.
  const Datum* find(std::string_view name) const;
  /// The text of a member, "" if it has none.
  std::string_view text_of(std::string_view name) const;
};

/// The type that the value has, as the schema or else the value itself says; nothing if neither does.
std::optional<Type> type_of(const Datum& datum);

/// A type that holds what either holds; `string` holds everything.
Type wider(const Type& a, const Type& b);

/// Appends the value as JSON, without line breaks.
void append_json(std::string& out, const Datum& datum);

/// Appends the value to a column of a type that may be another than its own. Code::data, without the value,
/// and with nothing pushed, if the type has no such value.
Status push(ColumnVector& column, const Type& type, const Datum& datum);

/// The bytes that base64 (RFC 4648) stands for; nothing if it is none.
std::optional<std::string> from_base64(std::string_view text);

/// A type by its name, such as "int64" or "decimal(10,2)"; nothing for another text.
std::optional<Type> type_named(std::string_view name);

}  // namespace maia::kafka
