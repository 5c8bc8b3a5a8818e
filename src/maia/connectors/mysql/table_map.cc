// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/table_map.h"

#include <fmt/format.h>

#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {
namespace {

/// Kinds of optional metadata. Later ones describe what one can do without.
enum class Detail : std::uint8_t {
  signedness = 1,
  default_collation = 2,
  collations = 3,
  names = 4,
  set_labels = 5,
  enum_labels = 6,
  geometry_kinds = 7,
  key = 8,
  key_prefixes = 9,
  label_default_collation = 10,
  label_collations = 11,
  visibility = 12,
  vector_dimensions = 13,
};

Error malformed(std::string_view what) {
  return Error{.code = Error::Code::corruption,
               .message = fmt::format("the description of a table in the binary log {}", what),
               .hint = ""};
}

bool is_label_type(WireType type) { return type == WireType::enumeration || type == WireType::set; }

/// Bytes of metadata of a type; nothing for a type that is not known.
std::optional<unsigned> meta_size(WireType type) {
  switch (type) {
    case WireType::tiny:
    case WireType::small:
    case WireType::integer:
    case WireType::null:
    case WireType::timestamp_old:
    case WireType::big:
    case WireType::medium:
    case WireType::date_old:
    case WireType::time_old:
    case WireType::datetime_old:
    case WireType::year:
    case WireType::date: return 0;
    case WireType::float32:
    case WireType::float64:
    case WireType::timestamp:
    case WireType::datetime:
    case WireType::time:
    case WireType::blob_compressed:
    case WireType::vector:
    case WireType::json:
    case WireType::blob:
    case WireType::geometry: return 1;
    case WireType::varchar:
    case WireType::varchar_compressed:
    case WireType::bit:
    case WireType::decimal:
    case WireType::enumeration:
    case WireType::set:
    case WireType::string: return 2;
    case WireType::decimal_old: return {};
  }
  return {};
}

/// CHAR carries the type that it really is, and a length of ten bits whose highest two lie inverted in the
/// byte of the type.
Status read_string_meta(WireColumn& column, std::uint8_t first, std::uint8_t second) {
  if ((first & 0x30) != 0x30) {
    column.meta = static_cast<std::uint16_t>(second | (((first & 0x30) ^ 0x30) << 4));
    first |= 0x30;
  } else {
    column.meta = second;
  }
  column.type = static_cast<WireType>(first);
  if (column.type == WireType::string || is_label_type(column.type)) return {};
  return malformed("has a text of a type that is none");
}

/// Whether the metadata can be of such a type, so that whoever reads values need not doubt it.
bool is_sound(const WireColumn& column) {
  const unsigned meta = column.meta, high = meta >> 8, low = meta & 0xFF;
  switch (column.type) {
    case WireType::timestamp:
    case WireType::datetime:
    case WireType::time: return meta <= 6;
    case WireType::blob:
    case WireType::blob_compressed:
    case WireType::json:
    case WireType::vector:
    case WireType::geometry: return meta >= 1 && meta <= 4;
    case WireType::enumeration: return meta == 1 || meta == 2;
    case WireType::set: return meta >= 1 && meta <= 8;
    case WireType::bit: return low < 8 && high * 8 + low >= 1 && high * 8 + low <= 64;
    case WireType::decimal: return high >= 1 && high <= 65 && low <= 30 && low <= high;
    default: return true;
  }
}

Status read_meta(WireColumn& column, WireReader& in) {
  const auto size = meta_size(column.type);
  if (!size) {
    return Error{.code = Error::Code::unsupported,
                 .message = fmt::format("type {} of a column in the binary log is not known",
                                        static_cast<unsigned>(column.type)),
                 .hint = "leave the table out with `tables`, and tell the makers of MAIA"};
  }
  if (column.type == WireType::string || is_label_type(column.type) || column.type == WireType::decimal) {
    const auto first = in.u8();
    const auto second = in.u8();
    if (column.type != WireType::decimal) return read_string_meta(column, first, second);
    column.meta = static_cast<std::uint16_t>(first << 8 | second);
  } else {
    column.meta = static_cast<std::uint16_t>(in.little(*size));
  }
  return {};
}

std::vector<std::string> read_labels(WireReader& in) {
  std::vector<std::string> labels;
  for (auto left = in.packed(); left > 0 && in.ok(); --left) labels.emplace_back(in.packed_text());
  return labels;
}

/// One collation for all columns that `fits` and exceptions by their place among these.
template <class Fits>
void read_default_collation(WireReader& in, TableMap& map, Fits&& fits) {
  const auto usual = static_cast<std::uint32_t>(in.packed());
  std::vector<WireColumn*> columns;
  for (auto& column : map.columns) {
    if (!fits(column.type)) continue;
    column.collation = usual;
    columns.push_back(&column);
  }
  while (in.ok() && in.left() > 0) {
    const auto place = in.packed();
    const auto collation = static_cast<std::uint32_t>(in.packed());
    if (place >= columns.size()) return in.fail();
    columns[place]->collation = collation;
  }
}

template <class Fits, class Read>
void read_each(WireReader& in, TableMap& map, Fits&& fits, Read&& read) {
  for (auto& column : map.columns) {
    if (in.ok() && in.left() > 0 && fits(column.type)) read(column);
  }
}

void read_bits(WireReader& in, TableMap& map, bool (*fits)(WireType),
               std::optional<bool> WireColumn::*member) {
  unsigned place = 0;
  const auto bits = in.rest();
  for (auto& column : map.columns) {
    if (!fits(column.type)) continue;
    if (place / 8 >= bits.size()) return in.fail();
    column.*member = (bits[place / 8] >> (7 - place % 8) & 1) != 0;
    ++place;
  }
}

void read_key(WireReader& in, TableMap& map, bool with_prefixes) {
  map.key.clear();
  while (in.ok() && in.left() > 0) {
    const auto column = in.packed();
    if (with_prefixes) in.packed();
    if (column >= map.columns.size()) return in.fail();
    map.key.push_back(column);
  }
}

void read_detail(Detail detail, WireReader& in, TableMap& map) {
  const auto every = [](WireType) { return true; };
  const auto read_collation = [&in](WireColumn& c) { c.collation = static_cast<std::uint32_t>(in.packed()); };
  const auto is_set = [](WireType type) { return type == WireType::set; };
  const auto is_enum = [](WireType type) { return type == WireType::enumeration; };
  const auto is_geometry = [](WireType type) { return type == WireType::geometry; };
  switch (detail) {
    case Detail::signedness: return read_bits(in, map, is_number, &WireColumn::is_unsigned);
    case Detail::default_collation: return read_default_collation(in, map, has_collation);
    case Detail::collations: return read_each(in, map, has_collation, read_collation);
    case Detail::names: return read_each(in, map, every, [&in](WireColumn& c) { c.name = in.packed_text(); });
    case Detail::set_labels:
      return read_each(in, map, is_set, [&in](WireColumn& c) { c.labels = read_labels(in); });
    case Detail::enum_labels:
      return read_each(in, map, is_enum, [&in](WireColumn& c) { c.labels = read_labels(in); });
    case Detail::geometry_kinds:
      return read_each(in, map, is_geometry,
                       [&in](WireColumn& c) { c.geometry = static_cast<std::uint32_t>(in.packed()); });
    case Detail::key: return read_key(in, map, false);
    case Detail::key_prefixes: return read_key(in, map, true);
    case Detail::label_default_collation: return read_default_collation(in, map, is_label_type);
    case Detail::label_collations: return read_each(in, map, is_label_type, read_collation);
    case Detail::visibility:
      return read_bits(
          in, map, [](WireType) { return true; }, &WireColumn::visible);
    case Detail::vector_dimensions: in.rest(); return;
  }
}

Status read_details(WireReader& in, TableMap& map) {
  while (in.ok() && in.left() > 0) {
    const auto kind = in.u8();
    WireReader detail(in.bytes(in.packed()));
    if (!in.ok()) break;
    read_detail(static_cast<Detail>(kind), detail, map);
    if (!detail.ok()) return malformed(fmt::format("ends within detail {}", kind));
  }
  return {};
}

}  // namespace

bool is_number(WireType type) {
  switch (type) {
    case WireType::tiny:
    case WireType::small:
    case WireType::medium:
    case WireType::integer:
    case WireType::big:
    case WireType::float32:
    case WireType::float64:
    case WireType::decimal: return true;
    default: return false;
  }
}

bool has_collation(WireType type) {
  switch (type) {
    case WireType::varchar:
    case WireType::varchar_compressed:
    case WireType::blob:
    case WireType::blob_compressed:
    case WireType::string: return true;
    default: return false;
  }
}

Result<TableMap> parse_table_map(ByteView content) {
  WireReader in(content);
  TableMap map;
  map.id = in.little(6);
  in.u16();  // flags
  map.name.schema = in.text(in.u8());
  in.u8();
  map.name.table = in.text(in.u8());
  in.u8();
  const auto count = in.packed();
  const auto types = in.bytes(count);
  WireReader meta(in.bytes(in.packed()));
  const auto nullable = in.bytes((count + 7) / 8);
  if (!in.ok()) return malformed("ends too early");
  for (std::size_t i = 0; i < types.size(); ++i) {
    WireColumn column;
    column.type = static_cast<WireType>(types[i]);
    MAIA_TRY(read_meta(column, meta));
    if (!is_sound(column)) return malformed("has a type with metadata that it cannot have");
    column.nullable = (nullable[i / 8] >> (i % 8) & 1) != 0;
    map.columns.push_back(std::move(column));
  }
  if (!meta.finished()) return malformed("does not fit its types");
  MAIA_TRY(read_details(in, map));
  if (!in.ok()) return malformed("ends too early");
  return map;
}

}  // namespace maia::mysql
