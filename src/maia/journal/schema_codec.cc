// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/schema_codec.h"

namespace maia::journal {
namespace {

constexpr int kDeepestArray = 8;
constexpr std::size_t kSmallestColumn = 8;
constexpr std::uint8_t kNullable = 1;
constexpr std::uint8_t kInKey = 2;
constexpr std::uint8_t kGenerated = 4;

void encode_type(ByteWriter& out, const Type& type) {
  out.u8(static_cast<std::uint8_t>(type.id));
  out.varint(type.precision);
  out.varint(type.scale);
  out.text(type.form);
  out.u8(type.dimensions);
  out.u8(type.element ? 1 : 0);
  if (type.element) encode_type(out, *type.element);
}

Type decode_type(ByteReader& in, int depth) {
  Type type;
  const auto id = in.u8();
  if (id < static_cast<std::uint8_t>(TypeId::boolean) || id > static_cast<std::uint8_t>(TypeId::array))
    in.fail();
  type.id = TypeId{id};
  const auto precision = in.varint();
  const auto scale = in.varint();
  if (precision > UINT16_MAX || scale > UINT16_MAX) in.fail();
  type.precision = static_cast<std::uint16_t>(precision);
  type.scale = static_cast<std::uint16_t>(scale);
  type.form = in.text();
  type.dimensions = in.u8();
  const auto has_element = in.u8();
  if (has_element != (type.id == TypeId::array ? 1 : 0) || depth > kDeepestArray) in.fail();
  if (in.ok() && has_element == 1) type.element = std::make_shared<const Type>(decode_type(in, depth + 1));
  return type;
}

}  // namespace

void encode_schema(ByteWriter& out, const TableSchema& schema) {
  out.text(schema.id);
  out.text(schema.name.schema);
  out.text(schema.name.table);
  out.varint(schema.version);
  out.u8(static_cast<std::uint8_t>(schema.identity));
  out.varint(schema.columns.size());
  for (const auto& column : schema.columns) {
    out.text(column.name);
    encode_type(out, column.type);
    out.u8(static_cast<std::uint8_t>((column.nullable ? kNullable : 0) | (column.in_key ? kInKey : 0) |
                                     (column.generated ? kGenerated : 0)));
    out.text(column.native_type);
    out.text(column.id);
  }
}

Result<TableSchema> decode_schema(ByteView payload) {
  ByteReader in(payload);
  TableSchema schema;
  schema.id = in.text();
  schema.name.schema = in.text();
  schema.name.table = in.text();
  const auto version = in.varint();
  schema.version = static_cast<std::uint32_t>(version);
  const auto identity = in.u8();
  if (version > UINT32_MAX || identity > static_cast<std::uint8_t>(Identity::none)) in.fail();
  schema.identity = Identity{identity};
  const auto columns = in.count(kSmallestColumn);
  for (std::size_t i = 0; i < columns && in.ok(); ++i) {
    Column column;
    column.name = in.text();
    column.type = decode_type(in, 0);
    const auto flags = in.u8();
    if (flags > (kNullable | kInKey | kGenerated)) in.fail();
    column.nullable = (flags & kNullable) != 0;
    column.in_key = (flags & kInKey) != 0;
    column.generated = (flags & kGenerated) != 0;
    column.native_type = in.text();
    column.id = in.text();
    schema.columns.push_back(std::move(column));
  }
  if (!in.finished()) {
    return Error{Error::Code::corruption, Recovery::halt, "the record holds no valid table schema", ""};
  }
  return schema;
}

}  // namespace maia::journal
