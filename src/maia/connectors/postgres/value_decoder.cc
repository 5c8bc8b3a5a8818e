// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/value_decoder.h"

#include <fmt/format.h>

#include <charconv>

#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/printed_binary.h"
#include "maia/connectors/postgres/value_binary.h"
#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

using Outcome = ValueDecoder::Outcome;

Outcome boolean(ColumnVector& column, const Type&, std::string_view text) {
  if (text != "t" && text != "f") return Outcome::malformed;
  column.push_fixed(static_cast<std::uint8_t>(text == "t"));
  return Outcome::ok;
}

template <std::integral T>
Outcome integer(ColumnVector& column, const Type&, std::string_view text) {
  T value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return Outcome::malformed;
  column.push_fixed(value);
  return Outcome::ok;
}

Outcome same(ColumnVector& column, const Type&, std::string_view text) {
  column.push_text(text);
  return Outcome::ok;
}

// PostgreSQL 14 prints a byte above 127 as it is, which is no UTF-8.
Outcome character(ColumnVector& column, const Type&, std::string_view text) {
  if (text.size() != 1) return same(column, {}, text);
  std::string printed;
  print_char(text, printed);
  column.push_text(printed);
  return Outcome::ok;
}

Outcome canonical(ColumnVector& column, const Type& type, std::string_view text) {
  return push_value_text(column, type, text).ok() ? Outcome::ok : Outcome::out_of_range;
}

ValueDecoder::TextFunction text_function(const MappedType& mapped) {
  if (mapped.decoded_oid == oid::kChar) return character;
  switch (mapped.type.id) {
    case TypeId::boolean: return boolean;
    case TypeId::int16: return integer<std::int16_t>;
    case TypeId::int32: return integer<std::int32_t>;
    case TypeId::int64: return integer<std::int64_t>;
    case TypeId::string:
    case TypeId::json:
    case TypeId::array: return same;
    case TypeId::float32:
    case TypeId::float64:
    case TypeId::decimal:
    case TypeId::bytes:
    case TypeId::date:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz:
    case TypeId::interval:
    case TypeId::uuid: return canonical;
  }
  return canonical;
}

}  // namespace

ValueDecoder::ValueDecoder(const MappedType& mapped)
    : type_(mapped.type),
      native_oid_(mapped.native_oid),
      element_(mapped.element ? std::make_shared<const ValueDecoder>(*mapped.element) : nullptr),
      text_(text_function(mapped)),
      binary_(binary_function(mapped)) {}

Error ValueDecoder::error(Outcome outcome) const {
  const auto name = to_string(type_);
  Error error{.code = Error::Code::data, .recovery = Recovery::halt, .message = {}, .hint = {}};
  switch (outcome) {
    case Outcome::malformed:
      error.code = Error::Code::corruption;
      error.message = fmt::format("the server sent bytes that are no value of type {}", name);
      break;
    case Outcome::out_of_range:
      error.message = fmt::format("a value lies outside of what type {} can hold", name);
      error.hint = "correct the value at the source, or leave the column out";
      break;
    case Outcome::no_binary:
      error.code = Error::Code::unsupported;
      error.message = fmt::format("type {} has no binary form here, but the server sent one", name);
      break;
    case Outcome::ok: break;
  }
  return error;
}

}  // namespace maia::postgres
