// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/copy_decoder.h"

#include <fmt/format.h>

#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::size_t kHeaderSize = kSignature.size() + 8;
constexpr std::uint32_t kCriticalFlags = 0xffff0000;

Error corrupt(std::uint64_t row, std::string_view what) {
  return {.code = Error::Code::corruption,
          .recovery = Recovery::halt,
          .message = fmt::format("row {} of the copied table {}", row + 1, what),
          .hint = {}};
}

/// The character that an escape stands for; nothing if COPY writes no such escape.
std::optional<char> unescape(char c) {
  switch (c) {
    case '\\': return '\\';
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'v': return '\v';
    default: return {};
  }
}

}  // namespace

CopyDecoder::CopyDecoder(CopyFormat format, std::vector<ValueDecoder> decoders)
    : format_(format), decoders_(std::move(decoders)) {}

Status CopyDecoder::feed(std::span<const std::byte> chunk, Batch& batch) {
  MAIA_ASSERT(batch.columns() == decoders_.size());
  if (rest_.empty()) {
    const auto bytes = as_chars(chunk);
    rest_.assign(bytes.substr(MAIA_TRY(take_rows(bytes, batch))));
  } else {
    rest_.append(as_chars(chunk));
    rest_.erase(0, MAIA_TRY(take_rows(rest_, batch)));
  }
  return {};
}

Status CopyDecoder::finish() const {
  if (!rest_.empty()) return corrupt(rows_, "ends early");
  if (format_ == CopyFormat::binary && !ended_)
    return corrupt(rows_, "and the trailer behind the last are missing");
  return {};
}

/// How many bytes were whole rows.
Result<std::size_t> CopyDecoder::take_rows(std::string_view bytes, Batch& batch) {
  return format_ == CopyFormat::binary ? take_binary(bytes, batch) : take_text(bytes, batch);
}

Result<std::size_t> CopyDecoder::take_header(std::string_view bytes) {
  if (bytes.size() < kHeaderSize) return std::size_t{0};
  WireReader reader(bytes);
  if (reader.take(kSignature.size()) != kSignature) return corrupt(rows_, "is not binary COPY");
  const auto flags = reader.number<std::uint32_t>();
  if ((flags & kCriticalFlags) != 0) {
    return Error{.code = Error::Code::unsupported,
                 .recovery = Recovery::halt,
                 .message = fmt::format("binary COPY has the unknown flags {:#010x}", flags),
                 .hint = {}};
  }
  reader.take(reader.number<std::uint32_t>());
  if (reader.failed()) return std::size_t{0};
  header_read_ = true;
  return reader.at();
}

Result<std::size_t> CopyDecoder::take_binary(std::string_view bytes, Batch& batch) {
  std::size_t taken = 0;
  if (!header_read_) {
    taken = MAIA_TRY(take_header(bytes));
    if (!header_read_) return taken;
  }
  while (taken < bytes.size()) {
    if (ended_) return corrupt(rows_, "lies behind the trailer");
    const auto size = MAIA_TRY(take_binary_row(bytes.substr(taken), batch));
    if (size == 0) break;
    taken += size;
  }
  return taken;
}

/// Its size, or 0 if its end has not come yet.
Result<std::size_t> CopyDecoder::take_binary_row(std::string_view bytes, Batch& batch) {
  constexpr std::int16_t kTrailer = -1;
  constexpr std::int32_t kNull = -1;
  WireReader reader(bytes);
  const auto fields = reader.number<std::int16_t>();
  if (reader.failed()) return std::size_t{0};
  if (fields == kTrailer) {
    ended_ = true;
    return reader.at();
  }
  if (fields < 0 || static_cast<std::size_t>(fields) != decoders_.size()) {
    return corrupt(rows_, fmt::format("has {} values where {} were asked for", fields, decoders_.size()));
  }
  batch.begin_row(Op::read, rows_);
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    const auto size = reader.number<std::int32_t>();
    if (size == kNull) {
      batch.mutable_after(i).push_null();
      continue;
    }
    if (size < 0) {
      batch.drop_last_row();
      return corrupt(rows_, "has a value of negative size");
    }
    const auto value = reader.take(static_cast<std::size_t>(size));
    if (reader.failed()) {
      batch.drop_last_row();
      return std::size_t{0};
    }
    const auto outcome = decoders_[i].read_binary(batch.mutable_after(i), as_bytes(value));
    if (outcome != ValueDecoder::Outcome::ok) [[unlikely]]
      return value_error(outcome, batch, i);
  }
  batch.finish_row();
  ++rows_;
  return reader.at();
}

Result<std::size_t> CopyDecoder::take_text(std::string_view bytes, Batch& batch) {
  std::size_t taken = 0;
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n', taken)) {
    MAIA_TRY(push_text_row(bytes.substr(taken, end - taken), batch));
    taken = end + 1;
  }
  return taken;
}

Status CopyDecoder::push_text_row(std::string_view line, Batch& batch) {
  batch.begin_row(Op::read, rows_);
  std::size_t column = 0;
  bool more = !decoders_.empty() || !line.empty();
  while (more) {
    const auto tab = line.find('\t');
    const auto field = line.substr(0, tab);
    more = tab != line.npos;
    if (more) line.remove_prefix(tab + 1);
    if (column == decoders_.size()) {
      batch.drop_last_row();
      return corrupt(rows_, fmt::format("has more than the {} values that were asked for", decoders_.size()));
    }
    MAIA_TRY(push_text_field(field, batch, column));
    ++column;
  }
  if (column != decoders_.size()) {
    batch.drop_last_row();
    return corrupt(rows_, fmt::format("has {} values where {} were asked for", column, decoders_.size()));
  }
  batch.finish_row();
  ++rows_;
  return {};
}

Status CopyDecoder::push_text_field(std::string_view field, Batch& batch, std::size_t column) {
  if (field == "\\N") {
    batch.mutable_after(column).push_null();
    return {};
  }
  auto escape = field.find('\\');
  if (escape != field.npos) {
    unescaped_.clear();
    while (escape != field.npos) {
      const auto c = escape + 1 < field.size() ? unescape(field[escape + 1]) : std::nullopt;
      if (!c) {
        batch.drop_last_row();
        return corrupt(rows_, "has a backslash that escapes nothing");
      }
      unescaped_.append(field.substr(0, escape)) += *c;
      field.remove_prefix(escape + 2);
      escape = field.find('\\');
    }
    field = unescaped_.append(field);
  }
  const auto outcome = decoders_[column].read_text(batch.mutable_after(column), field);
  if (outcome != ValueDecoder::Outcome::ok) [[unlikely]]
    return value_error(outcome, batch, column);
  return {};
}

/// Takes the row back and says where its value was.
Error CopyDecoder::value_error(ValueDecoder::Outcome outcome, Batch& batch, std::size_t column) const {
  batch.drop_last_row();
  return decoders_[column].error(outcome).in(
      fmt::format("row {}: column {}", rows_ + 1, batch.schema()->columns[column].name));
}

}  // namespace maia::postgres
