// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/column_codec.h"

#include <algorithm>

namespace maia::journal {
namespace {

enum class Presences : std::uint8_t {
  all_values = 0,
  all_null = 1,
  all_unchanged = 2,
  some_null = 3,       ///< a bitmap of values
  some_unchanged = 4,  ///< a bitmap of values, then one of unchanged
};

Presences presences_of(const ColumnVector& column) {
  const auto values = column.valid().count();
  const auto unchanged = column.any_unchanged() ? column.unchanged().count() : 0;
  if (values == column.size()) return Presences::all_values;
  if (unchanged == column.size()) return Presences::all_unchanged;
  if (unchanged > 0) return Presences::some_unchanged;
  return values == 0 ? Presences::all_null : Presences::some_null;
}

void encode_bitmap(ByteWriter& out, const Bitmap& bitmap) {
  out.raw(bitmap.words().data(), bitmap.words().size() * sizeof(std::uint64_t));
}

Bitmap decode_bitmap(ByteReader& in, std::size_t rows) {
  std::vector<std::uint64_t> words((rows + 63) / 64);
  const auto from = in.bytes(words.size() * sizeof(std::uint64_t));
  if (!in.ok()) return {};
  if (!words.empty()) std::memcpy(words.data(), from.data(), from.size());
  if (rows % 64 != 0 && words.back() >> (rows % 64) != 0) in.fail();
  return Bitmap::from_words(std::move(words), rows);
}

Bitmap filled(std::size_t rows, bool bit) {
  return Bitmap::from_words(std::vector<std::uint64_t>((rows + 63) / 64, bit ? ~std::uint64_t{0} : 0), rows);
}

/// Varlen values: their lengths, then the characters. Absent values have length 0.
void decode_texts(ByteReader& in, std::size_t rows, std::vector<std::uint32_t>& ends,
                  std::vector<char>& chars) {
  ends.reserve(std::min(rows, in.left()));
  std::uint64_t end = 0;
  for (std::size_t row = 0; row < rows && in.ok(); ++row) {
    const auto length = in.varint();
    if (length > UINT32_MAX || end + length > UINT32_MAX) in.fail();
    end += length;
    ends.push_back(static_cast<std::uint32_t>(end));
  }
  const auto text = in.bytes(end);
  chars.assign(text.begin(), text.end());
}

bool overlap(const Bitmap& a, const Bitmap& b) {
  for (std::size_t i = 0; i < a.words().size(); ++i) {
    if ((a.words()[i] & b.words()[i]) != 0) return true;
  }
  return false;
}

}  // namespace

void encode_column(ByteWriter& out, const ColumnVector& column) {
  const auto presences = presences_of(column);
  out.u8(static_cast<std::uint8_t>(presences));
  if (presences == Presences::all_null || presences == Presences::all_unchanged) return;
  if (presences != Presences::all_values) encode_bitmap(out, column.valid());
  if (presences == Presences::some_unchanged) encode_bitmap(out, column.unchanged());
  if (column.physical() != Physical::varlen) return out.bytes(column.fixed_bytes());
  std::uint32_t begin = 0;
  for (const auto end : column.ends()) {
    out.varint(end - begin);
    begin = end;
  }
  out.raw(column.chars().data(), column.chars().size());
}

ColumnVector decode_column(ByteReader& in, Physical physical, std::size_t rows) {
  const auto kind = in.u8();
  if (kind > static_cast<std::uint8_t>(Presences::some_unchanged)) in.fail();
  if (!in.ok()) return ColumnVector(physical);
  const auto presences = Presences{kind};
  const bool absent = presences == Presences::all_null || presences == Presences::all_unchanged;
  Bitmap valid = filled(rows, presences == Presences::all_values);
  Bitmap unchanged;
  if (presences == Presences::all_unchanged) unchanged = filled(rows, true);
  if (presences == Presences::some_null || presences == Presences::some_unchanged)
    valid = decode_bitmap(in, rows);
  if (presences == Presences::some_unchanged) unchanged = decode_bitmap(in, rows);
  if (!in.ok()) return ColumnVector(physical);
  if (unchanged.size() > 0 && overlap(valid, unchanged)) in.fail();

  std::vector<std::uint8_t> fixed;
  std::vector<std::uint32_t> ends;
  std::vector<char> chars;
  const auto each = width(physical);
  if (absent) {
    fixed.resize(rows * each);
    if (each == 0) ends.resize(rows);
  } else if (each == 0) {
    decode_texts(in, rows, ends, chars);
  } else {
    const auto bytes = in.bytes(rows * each);
    fixed.assign(bytes.begin(), bytes.end());
  }
  if (!in.ok()) return ColumnVector(physical);
  return ColumnVector::assemble(physical, std::move(fixed), std::move(ends), std::move(chars),
                                std::move(valid), std::move(unchanged));
}

}  // namespace maia::journal
