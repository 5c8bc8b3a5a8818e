// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/copy_encoder.h"

#include <algorithm>
#include <cstring>

#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

void append_int16(std::string& out, std::int16_t value) {
  const auto bits = __builtin_bswap16(static_cast<std::uint16_t>(value));
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void append_int32(std::string& out, std::int32_t value) {
  const auto bits = __builtin_bswap32(static_cast<std::uint32_t>(value));
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void append_escaped(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char escape = 0;
    switch (text[i]) {
      case '\\': escape = '\\'; break;
      case '\t': escape = 't'; break;
      case '\n': escape = 'n'; break;
      case '\r': escape = 'r'; break;
      default: continue;
    }
    out.append(text, from, i - from);
    out += '\\';
    out += escape;
    from = i + 1;
  }
  out.append(text, from);
}

Error no_form(const Type& type) {
  return Error{.code = Error::Code::data,
               .message = "PostgreSQL cannot store a value of type " + to_string(type) +
                          ": it is out of range, or text with a zero byte",
               .hint = "change it in a transform, or store the column as another type"};
}

}  // namespace

CopyEncoder::CopyEncoder(std::vector<CopyField> fields) : fields_(std::move(fields)) {
  for (const auto& field : fields_) encoders_.push_back(binary_encoder(field.type, field.column_type));
  binary_ = std::all_of(encoders_.begin(), encoders_.end(), [](auto encoder) { return encoder != nullptr; });
}

void CopyEncoder::begin() {
  buffer_.clear();
  if (!binary_) return;
  buffer_.append("PGCOPY\n\377\r\n\0", 11);
  append_int32(buffer_, 0);  // flags
  append_int32(buffer_, 0);  // length of the header's extension
}

void CopyEncoder::begin_row(std::size_t extra) {
  first_ = true;
  if (binary_) append_int16(buffer_, static_cast<std::int16_t>(fields_.size() + extra));
}

void CopyEncoder::separate() {
  if (!first_) buffer_ += '\t';
  first_ = false;
}

Status CopyEncoder::value(std::size_t i, const ColumnVector& column, std::size_t row) {
  if (!column.has_value(row)) {
    null();
    return {};
  }
  if (!binary_) {
    separate();
    scratch_.clear();
    append_value_text(scratch_, fields_[i].type, column, row);
    if (scratch_.find('\0') != scratch_.npos) return no_form(fields_[i].type);
    append_escaped(buffer_, scratch_);
    return {};
  }
  const auto length_at = buffer_.size();
  append_int32(buffer_, 0);
  if (!encoders_[i](buffer_, fields_[i].type, column, row)) return no_form(fields_[i].type);
  const auto length = __builtin_bswap32(static_cast<std::uint32_t>(buffer_.size() - length_at - 4));
  std::memcpy(buffer_.data() + length_at, &length, sizeof length);
  return {};
}

void CopyEncoder::null() {
  if (binary_) return append_int32(buffer_, -1);
  separate();
  buffer_ += "\\N";
}

void CopyEncoder::number(std::int32_t value) {
  if (!binary_) {
    separate();
    buffer_ += std::to_string(value);
    return;
  }
  append_int32(buffer_, sizeof value);
  append_int32(buffer_, value);
}

void CopyEncoder::end_row() {
  if (!binary_) buffer_ += '\n';
}

void CopyEncoder::end() {
  if (binary_) append_int16(buffer_, -1);
}

}  // namespace maia::postgres
