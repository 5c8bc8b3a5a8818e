// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/array_binary.h"

#include <fmt/format.h>
#include <strings.h>

#include "maia/connectors/postgres/wire.h"
#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

using Outcome = ValueDecoder::Outcome;

constexpr std::int32_t kMaxDimensions = 6;

bool needs_quotes(std::string_view text) {
  constexpr std::string_view kSpecial("\"\\{}, \t\n\v\f\r", 11);
  return text.empty() || text.find_first_of(kSpecial) != text.npos ||
         (text.size() == 4 && strncasecmp(text.data(), "null", 4) == 0);
}

void append_element(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) return void(out += text);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

/// One array on its way from its bytes to its literal.
class Printing {
 public:
  Printing(const ValueDecoder& element, std::string_view bytes, std::string& out)
      : element_(element), reader_(bytes), out_(out) {}

  Outcome run() {
    if (!read_header()) return Outcome::malformed;
    if (elements_ == 0) {
      out_ += "{}";
    } else {
      print_bounds();
      if (const auto outcome = print_dimension(0); outcome != Outcome::ok) return outcome;
    }
    return reader_.failed() || reader_.remaining() != 0 ? Outcome::malformed : Outcome::ok;
  }

 private:
  struct Dimension {
    std::int32_t size = 0;
    std::int32_t lower = 1;
  };

  bool read_header() {
    dimensions_ = reader_.number<std::int32_t>();
    const auto has_nulls = reader_.number<std::int32_t>();
    const auto element_oid = reader_.number<Oid>();
    if (reader_.failed() || dimensions_ < 0 || dimensions_ > kMaxDimensions || (has_nulls & ~1) != 0)
      return false;
    if (element_oid != element_.native_oid()) return false;
    elements_ = dimensions_ == 0 ? 0 : 1;
    for (std::int32_t i = 0; i < dimensions_; ++i) {
      shape_[i] = {reader_.number<std::int32_t>(), reader_.number<std::int32_t>()};
      std::int32_t upper = 0;
      if (shape_[i].size < 0 || __builtin_add_overflow(shape_[i].lower, shape_[i].size, &upper)) return false;
      if (__builtin_mul_overflow(elements_, static_cast<std::size_t>(shape_[i].size), &elements_))
        return false;
    }
    // Each element takes at least its length; this bounds what broken sizes can make us print.
    return !reader_.failed() && elements_ <= reader_.remaining() / sizeof(std::int32_t);
  }

  void print_bounds() {
    bool usual = true;
    for (std::int32_t i = 0; i < dimensions_; ++i) usual = usual && shape_[i].lower == 1;
    if (usual) return;
    for (std::int32_t i = 0; i < dimensions_; ++i) {
      fmt::format_to(std::back_inserter(out_), "[{}:{}]", shape_[i].lower,
                     shape_[i].lower + shape_[i].size - 1);
    }
    out_ += '=';
  }

  Outcome print_dimension(std::int32_t dimension) {
    out_ += '{';
    for (std::int32_t i = 0; i < shape_[dimension].size; ++i) {
      if (i > 0) out_ += ',';
      const auto outcome = dimension + 1 == dimensions_ ? print_element() : print_dimension(dimension + 1);
      if (outcome != Outcome::ok) return outcome;
    }
    out_ += '}';
    return Outcome::ok;
  }

  Outcome print_element() {
    constexpr std::int32_t kNull = -1;
    thread_local ColumnVector value;
    thread_local std::string text;
    const auto size = reader_.number<std::int32_t>();
    if (size == kNull) {
      out_ += "NULL";
      return Outcome::ok;
    }
    if (size < 0) return Outcome::malformed;
    const auto bytes = reader_.take(static_cast<std::size_t>(size));
    if (reader_.failed()) return Outcome::malformed;
    if (value.physical() != physical(element_.type())) value = ColumnVector(physical(element_.type()));
    value.clear();
    if (const auto outcome = element_.read_binary(value, as_bytes(bytes)); outcome != Outcome::ok)
      return outcome;
    text.clear();
    append_value_text(text, element_.type(), value, 0);
    append_element(out_, text);
    return Outcome::ok;
  }

  const ValueDecoder& element_;
  WireReader reader_;
  std::string& out_;
  std::int32_t dimensions_ = 0;
  std::size_t elements_ = 0;
  Dimension shape_[kMaxDimensions];
};

}  // namespace

Outcome push_binary_array(ColumnVector& column, const ValueDecoder& decoder,
                          std::span<const std::byte> value) {
  thread_local std::string literal;
  literal.clear();
  const auto outcome = Printing(*decoder.element(), as_chars(value), literal).run();
  if (outcome == Outcome::ok) column.push_text(literal);
  return outcome;
}

}  // namespace maia::postgres
